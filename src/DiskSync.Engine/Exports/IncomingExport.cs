using System.Diagnostics;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Tail;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;

namespace DiskSync.Engine.Exports;

/// <summary>An export that clients may connect to before its image may be served: the disk of a guest that is still to arrive.</summary>
/// <remarks>
/// Until the image may be served every read and write fails, so that nobody ever sees a partial copy (safety rule 7); a flush
/// succeeds, as nothing was written. It asks only when a client asks. A request that comes while the image is being
/// finished is held for a while. Thread safe.
/// </remarks>
public sealed class IncomingExport : INbdExport, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private readonly IIncomingImage _incoming;
    private readonly TimeSpan _hold;
    private readonly Action _onServed;
    private readonly IncomingTracking? _tracking;
    private readonly Lock _gate = new();
    private volatile BlockDeviceExport? _served;
    private TailedImage? _tailed;
    private string? _failure;

    /// <summary>Waits for an image.</summary>
    /// <param name="incoming">The image; owned from now on.</param>
    /// <param name="name">By which clients ask for it.</param>
    /// <param name="length">What it will be long: bytes.</param>
    /// <param name="minimumBlock">What offsets and lengths have to be multiples of.</param>
    /// <param name="hold">How long a request is held while the image is being finished.</param>
    /// <param name="onServed">Called once, when it is served; from any thread.</param>
    /// <param name="tracking">Tracks the image's writes from the first one on; null where nobody does.</param>
    public IncomingExport(
        IIncomingImage incoming, string name, long length, int minimumBlock, TimeSpan hold, Action onServed, IncomingTracking? tracking = null)
    {
        _incoming = incoming;
        Name = name;
        Length = length;
        MinimumBlock = minimumBlock;
        _hold = hold;
        _onServed = onServed;
        _tracking = tracking;
    }

    /// <summary>How an image is served of which parts are still at its source.</summary>
    public TailedImageOptions Tail { get; init; } = new();

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Description => "a disk that arrives, served by disksync";

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public bool IsReadOnly => false;

    /// <inheritdoc/>
    public int MinimumBlock { get; }

    /// <inheritdoc/>
    public int PreferredBlock => Math.Max(4096, MinimumBlock);

    /// <inheritdoc/>
    public bool IsSharedByConnections => true;

    /// <inheritdoc/>
    public IReadOnlyList<string> StatusKinds => BlockDeviceExport.KindsOf(_tracking is not null);

    /// <inheritdoc/>
    /// <remarks>Until it is served whoever asks may be held.</remarks>
    public bool MayWait(long offset, long length, bool isWrite) => _served is not { } served || served.MayWait(offset, length, isWrite);

    /// <inheritdoc/>
    public bool TryReadNow(long offset, Span<byte> buffer) => _served is { } served && served.TryReadNow(offset, buffer);

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer) => Served().Read(offset, buffer);

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data) => Served().Write(offset, data);

    /// <inheritdoc/>
    public bool Zero(long offset, long length, bool mayPunch, bool fastOnly) => Served().Zero(offset, length, mayPunch, fastOnly);

    /// <inheritdoc/>
    public void Trim(long offset, long length) => Served().Trim(offset, length);

    /// <inheritdoc/>
    public void Cache(long offset, long length) => Served().Cache(offset, length);

    /// <inheritdoc/>
    /// <remarks>What was answered before was written to the image that is served; before that nothing was.</remarks>
    public void Flush() => _served?.Flush();

    /// <inheritdoc/>
    public IEnumerable<NbdExtent> Status(int kind, long offset, long length) => Served().Status(kind, offset, length);

    /// <summary>The image where parts of it are still at its source, or were when it began to be served; begins to serve it as a client does.</summary>
    /// <returns>Null where it came whole.</returns>
    /// <exception cref="NbdExportException">It may not be served.</exception>
    public TailedImage? FindTailed()
    {
        Served();
        return _tailed;
    }

    /// <summary>Lets clients go that wait for what is missing; what they asked for fails. Before their connections are ended.</summary>
    public void EndWaiting()
    {
        if (_served is not null)
        {
            _tailed?.EndWaiting();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _served?.Dispose();
        _tailed?.Dispose();
        _incoming.Dispose();
    }

    /// <exception cref="NbdExportException">It may not be served.</exception>
    private BlockDeviceExport Served()
    {
        if (_served is { } served)
        {
            return served;
        }

        // From here and not from its turn: those who wait behind it are not each held as long again.
        long start = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            while (_served is null)
            {
                if (_failure is not null)
                {
                    throw new NbdExportException(NbdError.Io, _failure);
                }

                IncomingStanding standing = _incoming.Look();
                if (standing.Image is { } image)
                {
                    Serve(image, standing);
                }
                else if (!standing.IsSoon || Stopwatch.GetElapsedTime(start) >= _hold)
                {
                    throw new NbdExportException(NbdError.Io, standing.Why);
                }
                else
                {
                    Thread.Sleep(Pause);
                }
            }

            return _served;
        }
    }

    private void Serve(IBlockDevice image, IncomingStanding standing)
    {
        // A device may be longer than the image on it; a file is the image.
        if (image.Length < Length || image.Alignment > MinimumBlock || (image is FileBlockDevice && image.Length != Length))
        {
            _failure = $"destination {image.Name}: it has {image.Length} bytes, and {Length} were announced; export it anew";
            _incoming.Dispose();
            return;
        }

        if (standing.Tail is { } tail)
        {
            _tailed = new TailedImage(image, tail.Map, tail.Files.OpenWritten(), tail.Seal.Geometry, tail.Seal.Root, tail.Files.HashesPath, tail.Completion, Tail);
        }

        IBlockDevice whole = _tailed?.Device ?? image;
        _served = new BlockDeviceExport(_tracking?.Track(whole, standing) ?? whole, Name, isReadOnly: false, _tracking?.Since);
        _onServed();
    }
}
