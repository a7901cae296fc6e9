using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Tracking;

namespace DiskSync.Handoff.Migration;

/// <summary>One image of a migration: its sender, what tells it what is dirty, and what its rounds have shown.</summary>
internal sealed class ImageMigration : IDisposable
{
    private readonly List<RoundResult> _rounds = [];
    private readonly IWriteTracking? _tracking;
    private readonly TrackedRounds? _tracked;
    private readonly SourceAuditor _auditor;

    /// <param name="sender">The sender; owned from now on.</param>
    /// <param name="tracking">Whoever tracks the source's writes; stays the caller's.</param>
    /// <param name="warn">Told when the tracker is not trusted any more.</param>
    public ImageMigration(ImageSender sender, IWriteTracking? tracking, Action<string> warn)
    {
        Sender = sender;
        _tracking = tracking;
        _tracked = tracking is null ? null : new TrackedRounds(tracking, sender.Geometry, HeldRoot(sender.DestinationMap), warn);
        _auditor = new SourceAuditor(sender.Source, sender.DestinationMap);
    }

    public ImageSender Sender { get; }

    public IReadOnlyList<RoundResult> Rounds => _rounds;

    public RoundResult Last => _rounds[^1];

    public TimeSpan LastProof { get; private set; }

    /// <summary>Whether the next round looks only at what was written.</summary>
    public bool IsTracked => _tracked is { IsTrusted: true } && _rounds.Count > 0;

    /// <summary>Whether the first round looks only at what was written since a state that the destination holds.</summary>
    public bool StartsFromBaseline => _tracked is { StartsFromBaseline: true };

    /// <summary>The root that the last proof has shown on both sides.</summary>
    public Hash256 Root { get; private set; }

    /// <summary>On what it rests that the source is what was sent.</summary>
    public string SourceBasis => _tracked is { IsTrusted: true, Audited: var audited }
        ? $"{_tracking!.Name} and {audited} audited blocks"
        : "hash scan";

    /// <summary>Bytes that the next round will find dirty: what the tracker has, or as much as changed during the last round.</summary>
    public long Pending()
    {
        if (IsTracked)
        {
            try
            {
                return _tracking!.DirtyBytes() + _tracked!.WaitingBytes;
            }
            catch (Engine.DiskSyncException exception)
            {
                _tracked!.Distrust(exception.Message);
            }
        }

        return Last.ChangedBytes;
    }

    /// <param name="phase">What it is called.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="isEnough">Told how many bytes are on the way: whether to leave the rest of what is dirty; null for all of it.</param>
    public async Task RunRoundAsync(CopyPhase phase, CancellationToken cancellationToken, Func<long, bool>? isEnough = null)
    {
        IDirtySource source = _tracked is null ? new HashScan() : _tracked;
        _rounds.Add(await Sender.RunRoundAsync(_rounds.Count + 1, phase, source, cancellationToken, isEnough));
        if (IsTracked && phase != CopyPhase.FinalDelta)
        {
            _tracked!.Note(await Task.Run(() => _auditor.Sample(cancellationToken), cancellationToken));
        }
    }

    public async Task ProveAsync(CopyPhase phase, CancellationToken cancellationToken)
    {
        ProofResult proof = await ImageProof.ProveAsync(Sender, _rounds.Count, _rounds, phase, cancellationToken);
        (Root, LastProof) = (proof.Root, proof.Elapsed);
    }

    /// <summary>Proves that the destination holds what it is believed to, blocks that are dirty still included, and tells it which those are.</summary>
    /// <returns>How many bytes are dirty.</returns>
    public async Task<long> ProveAsItIsAsync(CancellationToken cancellationToken)
    {
        long missing = await Sender.TellMissingAsync(cancellationToken);
        ProofResult proof = await ImageProof.ProveAsItIsAsync(Sender, cancellationToken);
        (Root, LastProof) = (proof.Root, proof.Elapsed);
        return missing;
    }

    /// <summary>Whether its writes can be slowed.</summary>
    public bool CanSlow => _tracked is { IsTrusted: true } && _tracking!.CanSlow;

    /// <summary>What was written so far; only where <see cref="CanSlow"/> held.</summary>
    public WriteLoad Load() => _tracking!.Load();

    /// <summary>Slows its writes, or lets them go; best effort where the tracker has failed meanwhile.</summary>
    public void Slow(double rate, TimeSpan ceiling)
    {
        try
        {
            _tracking!.Slow(rate, ceiling);
        }
        catch (Engine.DiskSyncException exception)
        {
            _tracked!.Distrust(exception.Message);
        }
    }

    /// <summary>The machine is paused: waits for the writes that are still under way, and keeps new ones from being done.</summary>
    public void Fence(TimeSpan patience)
    {
        if (_tracked is { IsTrusted: true })
        {
            try
            {
                _tracking!.Fence(patience);
                _tracked.IsFenced = true;
            }
            catch (Engine.DiskSyncException exception)
            {
                _tracked.Distrust(exception.Message);
                throw;
            }
        }
    }

    /// <summary>Nothing was ceded: what was held goes on. Best effort; the export finds out by itself when the migration has ended.</summary>
    public void Release()
    {
        try
        {
            _tracking?.Release();
        }
        catch (Engine.DiskSyncException)
        {
            // Its end of the connection lets them go on.
        }
    }

    /// <summary>Reads of the source, which nobody may write any more, a sample or everything, and compares it with what was proven to be at the destination.</summary>
    /// <exception cref="Engine.DiskSyncException">Something differs: a write was missed.</exception>
    public AuditResult Audit(bool everything, IProgressSink progress, CancellationToken cancellationToken)
    {
        AuditResult audit = everything ? _auditor.All(progress, cancellationToken) : _auditor.Sample(cancellationToken);

        // What was left to a tail the destination was told to be without, and has fetched since.
        audit = audit with { Different = [.. audit.Different.Where(b => !Sender.IsDirty(b))] };
        _tracked?.Note(audit);
        return audit;
    }

    public void Dispose() => Sender.Dispose();

    // A copy that is half done has no root.
    private static Hash256 HeldRoot(PagedMap held) => held.KnownCount == held.Geometry.BlockCount ? held.Root() : Hash256.Unknown;
}
