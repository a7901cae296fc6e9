using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Formats.Tail;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>The copies that a hand-over works on: those open in a session, or, after a kill, those on disk.</summary>
internal sealed class SessionTargets : IDestinationImages
{
    private readonly FileTargetProvider _provider;
    private readonly IReadOnlyDictionary<ushort, ITarget> _open;

    public SessionTargets(FileTargetProvider provider, IReadOnlyDictionary<ushort, ITarget> open)
    {
        _provider = provider;
        _open = open;
    }

    /// <summary>The identity of an image of the session.</summary>
    /// <exception cref="DiskSyncException">The session has no such image open.</exception>
    public string IdentityOf(ushort image) => _open.TryGetValue(image, out ITarget? target)
        ? _provider.IdentityOf(target.Name)
        : throw new DiskSyncException(
            FailureKind.Transport, $"destination: a Prepare names image {image}, which is not open", "The source does not keep to the protocol.");

    /// <inheritdoc/>
    public Task<IReadOnlyList<Hash256>> VerifyAndRootsAsync(IReadOnlyList<string> images, CancellationToken cancellationToken)
    {
        List<Hash256> roots = [];
        foreach (string image in images)
        {
            ITarget target = Open(image) ?? throw new DiskSyncException(
                FailureKind.Destination, $"destination {image}: the copy is not open", "Run the migrate again.");
            ReadBackResult result = target.Store.ReadBack((_, _) => { }, cancellationToken);
            if (result.Wrong.Count > 0)
            {
                throw new DiskSyncException(
                    FailureKind.Destination,
                    $"destination {target.StagedAs}: {result.Wrong.Count} blocks read back differently, the first at offset {target.Store.Geometry.OffsetOf(result.Wrong[0])}",
                    "Nothing was handed over. Run the migrate again: it sends them again; look at that host's storage.");
            }

            target.PrepareFinish();
            roots.Add(target.Store.Root());
        }

        return Task.FromResult<IReadOnlyList<Hash256>>(roots);
    }

    /// <inheritdoc/>
    public Task StageTailsAsync(PrepareRequest request, CancellationToken cancellationToken)
    {
        foreach (((string image, _), string source) in request.Images.Zip(request.TailSources!))
        {
            ITarget target = Open(image) ?? throw new DiskSyncException(
                FailureKind.Destination, $"destination {image}: the copy is not open", "Run the migrate again.");
            target.PrepareTail(new TailSealRecord(
                target.Name,
                request.Epoch,
                target.Store.Geometry,
                Hash256.Unknown,
                request.Attempt,
                DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
                request.Peer,
                source));
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task FinishImagesAsync(IReadOnlyList<ImageToFinish> images)
    {
        foreach (ImageToFinish image in images)
        {
            SealRequest seal = new(image.Epoch, image.Root, image.Attempt) { IsIncomplete = image.IsIncomplete };
            if (Open(image.Image) is { } target)
            {
                target.Finish(seal);
            }
            else
            {
                _provider.FinishAgain(image.Image, seal);
            }
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void RefuseOpen(IReadOnlyList<ImageToFinish> images)
    {
        foreach (ImageToFinish image in images)
        {
            _provider.RefuseOpen(image.Image, image.IsIncomplete ? image.Epoch : 0);
        }
    }

    /// <inheritdoc/>
    public Task<bool> AreUnchangedAsync(IReadOnlyList<ImageToFinish> images, CancellationToken cancellationToken) =>
        Task.Run(() => images.All(i =>
            i.IsIncomplete ? _provider.WasNeverWritten(i.Image, i.Attempt) : _provider.HasRoot(i.Image, i.Root, cancellationToken)), cancellationToken);

    // One that was finished and closed by an earlier Commit is found on disk again.
    private ITarget? Open(string identity) => _open.Values.FirstOrDefault(
        t => !t.Store.IsClosed && string.Equals(_provider.IdentityOf(t.Name), identity, StringComparison.Ordinal));
}
