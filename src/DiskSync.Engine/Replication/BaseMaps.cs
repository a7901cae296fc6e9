using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Answers a source's questions about maps: of the image being received, or of a base it considers.</summary>
internal sealed class BaseMaps : IDisposable
{
    private readonly ITargetProvider _provider;
    private Hash256 _root;
    private PagedMap? _map;
    private BlockGeometry? _asked;

    public BaseMaps(ITargetProvider provider)
    {
        _provider = provider;
    }

    /// <summary>Bases are compared at the granularity that was asked for.</summary>
    public void Remember(ListBases request) =>
        _asked = BlockGeometry.TryCreate((long)request.Length, request.Granularity, out BlockGeometry geometry) ? geometry : null;

    /// <summary>Reads the nodes asked for.</summary>
    /// <exception cref="TransportLostException">The subject is unknown, or the nodes lie outside of it.</exception>
    public MapData Answer(MapRequest request, ITarget? target)
    {
        PagedMap map = request.Subject.IsUnknown ? TargetMap(target) : BaseMap(request.Subject);
        long first = (long)request.First;
        if (request.Level != 0 || !map.Geometry.Contains(first, request.Count))
        {
            throw new TransportLostException(
                $"the source asked for {request.Count} nodes of level {request.Level} from {request.First}, which the map does not have");
        }

        return new MapData(request.Level, request.First, [.. map.GetRuns(first, request.Count)]);
    }

    public void Dispose() => _map?.Dispose();

    private static PagedMap TargetMap(ITarget? target) => target?.Store.Map
        ?? throw new TransportLostException("the source asked for the map of an image that is not open");

    private PagedMap BaseMap(Hash256 root)
    {
        if (_map is null || _root != root)
        {
            _map?.Dispose();
            _map = _asked is { } geometry ? _provider.OpenBaseMap(root, geometry) : null;
            _root = root;
        }

        return _map ?? throw new DiskSyncException(
            FailureKind.Preflight,
            $"destination: the base with root {root} is not here any more",
            "Run the command again; the bases are listed anew.");
    }
}
