using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Replication;

namespace DiskSync.Handoff.Ownership;

/// <summary>The destination's copies as the Engine's targets: open ones through their session, all others by their names.</summary>
/// <remarks>Used by one thread at a time. An open target is closed by finishing it and from then on is one of the others.</remarks>
public sealed class TargetImages : IDestinationImages
{
    private readonly Dictionary<string, ITarget> _open;
    private readonly Guid _attempt;
    private readonly Action<string, SealRequest> _finishAgain;
    private readonly Func<ImageToFinish, CancellationToken, Task<bool>> _isUnchanged;

    /// <summary>Puts the copies over targets.</summary>
    /// <param name="open">The session's open targets by image identity; empty on a new connection and at start.</param>
    /// <param name="attempt">The attempt, for the seals.</param>
    /// <param name="finishAgain">Names and seals an image of which no target is open; idempotent.</param>
    /// <param name="isUnchanged">Hashes a finished image and compares it with its root.</param>
    public TargetImages(
        IReadOnlyDictionary<string, ITarget> open,
        Guid attempt,
        Action<string, SealRequest> finishAgain,
        Func<ImageToFinish, CancellationToken, Task<bool>> isUnchanged)
    {
        ArgumentNullException.ThrowIfNull(open);
        _open = open.ToDictionary(StringComparer.Ordinal);
        _attempt = attempt;
        _finishAgain = finishAgain;
        _isUnchanged = isUnchanged;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Hash256>> VerifyAndRootsAsync(IReadOnlyList<string> images, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(images);
        List<Hash256> roots = [];
        foreach (string image in images)
        {
            if (!_open.TryGetValue(image, out ITarget? target))
            {
                throw new DiskSyncException(
                    FailureKind.Destination,
                    $"destination {image}: it is not open in this session, so it cannot be prepared",
                    "Run the migrate again.");
            }

            ReadBackResult read = target.Store.ReadBack((_, _) => { }, cancellationToken);
            if (read.Wrong.Count > 0)
            {
                throw new DiskSyncException(
                    FailureKind.Destination,
                    $"destination {image}: {read.Wrong.Count} blocks read back differently from what was written, the first at block {read.Wrong[0]}",
                    "The medium may be failing. Run the migrate again: it sends those blocks once more.");
            }

            roots.Add(target.Store.Root());
        }

        return Task.FromResult<IReadOnlyList<Hash256>>(roots);
    }

    /// <inheritdoc/>
    public Task FinishImagesAsync(IReadOnlyList<ImageToFinish> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        foreach (ImageToFinish image in images)
        {
            SealRequest seal = new(image.Epoch, image.Root, _attempt);
            if (_open.Remove(image.Image, out ITarget? target))
            {
                _ = target.Finish(seal);
            }
            else
            {
                _finishAgain(image.Image, seal);
            }
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<bool> AreUnchangedAsync(IReadOnlyList<ImageToFinish> images, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(images);
        foreach (ImageToFinish image in images)
        {
            if (!await _isUnchanged(image, cancellationToken))
            {
                return false;
            }
        }

        return true;
    }
}
