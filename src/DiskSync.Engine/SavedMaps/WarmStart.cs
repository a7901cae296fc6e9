using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Replication;
using DiskSync.Formats;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.SavedMaps;

/// <summary>Whether a copy may start from a saved map of its source, and whether the next one may start from this one's.</summary>
/// <remarks>
/// It begins before anything of the source is read and lasts until the copy is proven: whatever in between casts doubt on the map
/// turns the copy into one that scans. Not thread safe. Dispose it before the source.
/// </remarks>
internal sealed class WarmStart : IDisposable
{
    private readonly TransferRequest _request;
    private readonly SourceWatch _watch;
    private bool _lied;
    private string _scanned;

    private WarmStart(TransferRequest request, SourceWatch watch, SavedMap? map, string why)
    {
        _request = request;
        _watch = watch;
        Map = map;
        _scanned = why;
    }

    /// <summary>The source's map, as long as it is believed.</summary>
    public SavedMap? Map { get; private set; }

    /// <summary>The blocks by which it was audited.</summary>
    public IReadOnlyList<SampleBlock> Sample { get; private set; } = [];

    /// <summary>What the copy rests on as things stand.</summary>
    public SourceBasis Basis => new()
    {
        MapOf = Map?.SavedAt,
        AuditedBlocks = Map is null ? 0 : Sample.Count,
        ScannedBecause = Map is null ? _scanned : string.Empty,
        Warning = _lied ? $"{_scanned}; all of it was read instead" : string.Empty,
    };

    /// <summary>Begins to watch the source, and looks for a map of it that can be believed.</summary>
    /// <param name="request">The copy.</param>
    /// <param name="cancellationToken">Stops the audit.</param>
    /// <exception cref="ImageIOException">A block of the sample cannot be read.</exception>
    public static WarmStart Begin(TransferRequest request, CancellationToken cancellationToken)
    {
        if (request.Maps is null)
        {
            return new WarmStart(request, SourceWatch.Begin(request.Source), null, "no maps are kept here");
        }

        SourceWatch watch = SourceWatch.Begin(request.Source);
        string why = watch.Refusal;
        SavedMap? map = watch.Identity is not { } identity ? null
            : request.Rescan ? null
            : request.Maps.Open(request.Source.Name, request.Geometry, identity, out why);
        WarmStart start = new(request, watch, map, request.Rescan ? "--rescan asks for it" : why);
        try
        {
            start.Audit(cancellationToken);
            return start;
        }
        catch
        {
            start.Dispose();
            throw;
        }
    }

    /// <summary>What the first round has to look at.</summary>
    /// <param name="held">What the destination holds.</param>
    public IDirtySource FirstRound(PagedMap held) => Map is null ? new HashScan() : new FromSavedMap(this, held);

    /// <summary>Whether the copy must still scan the source: nothing tells any more that what was not read is as the map says.</summary>
    /// <param name="root">The root of what was sent and of what the map was believed about.</param>
    public bool MustScan(Hash256 root)
    {
        if (Map is null)
        {
            return false;
        }

        if (!_watch.IsUntouched(out string why))
        {
            Drop(why, lied: false);
        }
        else if (root != Map.Record.Root)
        {
            Drop("blocks that were read are not what its saved map says, although nothing tells of a change since", lied: true);
        }

        return Map is null;
    }

    /// <summary>Saves the map of a copy that was proven.</summary>
    /// <param name="map">What the destination holds, and so the source held.</param>
    /// <param name="root">Its root.</param>
    /// <param name="bytesRead">What was read of the source.</param>
    /// <returns>Why it was not saved, or empty.</returns>
    public string Save(PagedMap map, Hash256 root, long bytesRead) =>
        _request.Maps is null ? "no maps are kept here"
        : Map is not null ? string.Empty
        : _lied ? "something writes it without any sign of that"
        : !_watch.MaySave(bytesRead, out string why) ? why
        : _request.Maps.Save(_request.Source.Name, map, root, _watch.Identity!.Value);

    /// <summary>Whether nobody can have written the source since this began.</summary>
    public bool IsUntouched() => _watch.IsUntouched(out _);

    /// <inheritdoc/>
    public void Dispose()
    {
        Map?.Dispose();
        _watch.Dispose();
    }

    private void Audit(CancellationToken cancellationToken)
    {
        if (Map is null)
        {
            return;
        }

        try
        {
            long[] blocks = AuditSample.Choose(_request.Source, _request.Geometry);
            SampleBlock[] sample = new SampleBlock[blocks.Length];
            for (int i = 0; i < blocks.Length; i++)
            {
                sample[i] = new SampleBlock((ulong)blocks[i], Map.HashOf(blocks[i]));
            }

            Sample = sample;
            if (BlockAudit.FirstDifference(_request.Source, _request.Geometry, Sample, cancellationToken) is { } wrong)
            {
                Drop(
                    $"block {wrong} at offset {_request.Geometry.OffsetOf(wrong)} is not what its saved map says, although nothing tells of a change since",
                    lied: true);
            }
        }
        catch (FormatViolationException exception)
        {
            Drop($"its saved map is damaged ({exception.Message})", lied: false);
        }
    }

    /// <summary>Gives the map up; one that was not true, or cannot be read, is thrown away.</summary>
    private void Drop(string why, bool lied)
    {
        _lied |= lied;
        _scanned = lied ? $"{_request.Source.Name}: {why}" : why;
        Map?.Dispose();
        Map = null;
        if (_watch.IsUntouched(out _))
        {
            _request.Maps?.Discard(_request.Source.Name, _request.Geometry);
        }
    }

    /// <summary>The dirty source of a source whose map is believed; one that turns out damaged marks everything (safety rule 6).</summary>
    private sealed class FromSavedMap(WarmStart start, PagedMap held) : IDirtySource
    {
        public string Name => "saved map";

        public void MarkInto(DirtyBitmap bitmap)
        {
            try
            {
                start.Map!.MarkDifferences(held, bitmap);
            }
            catch (FormatViolationException exception)
            {
                start.Drop($"its saved map is damaged ({exception.Message})", lied: false);
                bitmap.MarkAll();
            }
        }
    }
}
