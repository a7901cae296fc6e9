using DiskSync.Engine.Blocks;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.SavedMaps;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Tracking;

/// <summary>Reads blocks of a source that nobody has reported as written, and compares them with what the destination holds.</summary>
/// <remarks>
/// A tracker that loses a share f of the writes leaves that share of the written blocks wrong at the destination; a look at k of
/// them finds one with a probability of 1 - (1 - f)^k. The blocks are chosen by <see cref="AuditSample"/>. Not thread safe.
/// </remarks>
/// <param name="source">The image.</param>
/// <param name="held">What the destination holds by its acks; changes only between calls.</param>
public sealed class SourceAuditor(IBlockDevice source, PagedMap held)
{
    private BlockGeometry Geometry => held.Geometry;

    /// <summary>Looks at a sample.</summary>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="ImageIOException">A block cannot be read.</exception>
    public AuditResult Sample(CancellationToken cancellationToken) =>
        Look(AuditSample.Choose(source, Geometry), cancellationToken);

    /// <summary>Looks at given blocks.</summary>
    /// <param name="blocks">Which.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="ImageIOException">A block cannot be read.</exception>
    public AuditResult Look(IReadOnlyList<long> blocks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        IEnumerable<SampleBlock> expected = blocks.Select(b => new SampleBlock((ulong)b, held.Get(b)));
        return new AuditResult(blocks.Count, [.. BlockAudit.Differences(source, Geometry, expected, cancellationToken)]);
    }

    /// <summary>Reads all of a source that nobody can write any more.</summary>
    /// <param name="progress">Where progress goes.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="DiskSyncException">The source cannot be read.</exception>
    public AuditResult All(IProgressSink progress, CancellationToken cancellationToken)
    {
        source.BeginPass();
        using PagedMap whole = ImageHasher.Hash(source, Geometry, progress, cancellationToken);
        List<long> different = [];
        if (whole.Root() != held.Root())
        {
            for (long block = 0; block < Geometry.BlockCount; block++)
            {
                if (whole.Get(block) != held.Get(block))
                {
                    different.Add(block);
                }
            }
        }

        return new AuditResult((int)Math.Min(Geometry.BlockCount, int.MaxValue), different);
    }
}
