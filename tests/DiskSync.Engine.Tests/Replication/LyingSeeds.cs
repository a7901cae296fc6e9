using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Replication;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>A destination that says it holds every content, and has none of them.</summary>
internal sealed class LyingSeeds(ITargetProvider inner, bool canBeRead) : ITargetProvider
{
    public IReadOnlyList<BaseOffer> ListBases(ListBases request) => inner.ListBases(request);

    public PagedMap? OpenBaseMap(Hash256 root, BlockGeometry geometry) => inner.OpenBaseMap(root, geometry);

    /// <summary>How often contents were asked for.</summary>
    public int Questions;

    public ISeedLibrary? OpenSeeds(int granularity, CancellationToken cancellationToken) => new Library(this, canBeRead);

    public ITarget Open(
        OpenImage request, Guid session, Action<ProgressPhase, long, long> progress, Action guard, CancellationToken cancellationToken) =>
        inner.Open(request, session, progress, guard, cancellationToken);

    private sealed class Library(LyingSeeds seeds, bool canBeRead) : ISeedLibrary
    {
        public long Known => 1;

        public IReadOnlyList<ushort> Find(IReadOnlyList<Hash256> hashes)
        {
            Interlocked.Increment(ref seeds.Questions);
            return [.. Enumerable.Range(0, hashes.Count).Select(i => (ushort)i)];
        }

        public bool TryRead(Hash256 hash, Span<byte> content)
        {
            content.Fill(7);
            return canBeRead;
        }

        public void Dispose()
        {
        }
    }
}
