using DiskSync.Codecs;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>One attempt of the source's: its id, its epoch, its images, and their locks while it lasts.</summary>
/// <remarks>Dispose it when the attempt is over, however it ended: that only releases the locks.</remarks>
public sealed class SourceAttempt : IDisposable
{
    private readonly IDisposable? _locks;

    internal SourceAttempt(Guid id, ulong epoch, IReadOnlyList<string> images, string peer, string unpause, IDisposable? locks)
    {
        Id = id;
        Epoch = epoch;
        Images = images;
        Peer = peer;
        Unpause = unpause;
        _locks = locks;
    }

    /// <summary>Names the attempt.</summary>
    public Guid Id { get; }

    /// <summary>N+1: the epoch that passes to the destination; larger than every epoch that this host knows of any of the images.</summary>
    public ulong Epoch { get; }

    /// <summary>The images' identities here.</summary>
    public IReadOnlyList<string> Images { get; }

    /// <summary>The destination as the user named it.</summary>
    public string Peer { get; }

    /// <summary>The machine as the journal keeps it, so that it goes on where the attempt is called off: its unpause command, or <c>qmp:SOCKET</c>; empty for none.</summary>
    public string Unpause { get; }

    /// <inheritdoc/>
    public void Dispose() => _locks?.Dispose();

    internal static SourceAttempt FromJournal(OwnershipEntry first) =>
        new(first.Attempt, first.Epoch, first.Images, first.Peer, first.Command, locks: null);

    internal OwnershipEntry[] Entries(AttemptState kind, DateTimeOffset time, IReadOnlyList<Hash256>? roots = null) =>
        [.. Images.Select((image, i) => new OwnershipEntry(
            image, Id, Epoch, kind, roots is null ? Hash256.Unknown : roots[i], time, Peer,
            kind == AttemptState.Paused ? Unpause : string.Empty, Images))];
}
