using DiskSync.Codecs;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;

namespace DiskSync.Handoff.Migration;

/// <summary>One image of a migration: its sender and what its rounds have shown.</summary>
/// <param name="sender">The sender; owned from now on.</param>
internal sealed class ImageMigration(ImageSender sender) : IDisposable
{
    private readonly List<RoundResult> _rounds = [];

    public ImageSender Sender => sender;

    public IReadOnlyList<RoundResult> Rounds => _rounds;

    public RoundResult Last => _rounds[^1];

    public TimeSpan LastProof { get; private set; }

    /// <summary>The root that the last proof has shown on both sides.</summary>
    public Hash256 Root { get; private set; }

    public async Task RunRoundAsync(CopyPhase phase, IDirtySource source, CancellationToken cancellationToken) =>
        _rounds.Add(await sender.RunRoundAsync(_rounds.Count + 1, phase, source, cancellationToken));

    public async Task ProveAsync(CopyPhase phase, CancellationToken cancellationToken)
    {
        ProofResult proof = await ImageProof.ProveAsync(sender, _rounds.Count, _rounds, phase, cancellationToken);
        (Root, LastProof) = (proof.Root, proof.Elapsed);
    }

    public void Dispose() => sender.Dispose();
}
