using DiskSync.Engine.Tail;

namespace DiskSync.Handoff.Ownership;

/// <summary>What the export of one image tells when nothing is missing any more.</summary>
/// <param name="image">The image's identity.</param>
/// <param name="conclusion">What is done then.</param>
public sealed class IncomingTailCompletion(string image, TailConclusion conclusion) : ITailCompletion
{
    /// <inheritdoc/>
    public bool TryComplete() => conclusion.TryComplete(image, isServing: true);
}
