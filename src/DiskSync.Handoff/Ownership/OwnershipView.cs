using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>What the journal said at one moment, already checked from its first record to its last.</summary>
/// <remarks>Immutable and safe to share between threads. Lookups are linear: a journal has tens of entries, not millions.</remarks>
public sealed class OwnershipView
{
    private readonly Dictionary<string, List<OwnershipEntry>> _byImage = new(StringComparer.Ordinal);

    /// <summary>Builds the view.</summary>
    /// <param name="entries">All entries, oldest first.</param>
    /// <param name="recreated">See <see cref="Recreated"/>.</param>
    public OwnershipView(IReadOnlyList<OwnershipEntry> entries, bool recreated)
    {
        ArgumentNullException.ThrowIfNull(entries);
        Entries = entries;
        Recreated = recreated;
        foreach (OwnershipEntry entry in entries)
        {
            if (!_byImage.TryGetValue(entry.Image, out List<OwnershipEntry>? list))
            {
                _byImage[entry.Image] = list = [];
            }

            list.Add(entry);
        }
    }

    /// <summary>The view of a journal that nobody has written to yet.</summary>
    public static OwnershipView Empty { get; } = new([], recreated: false);

    /// <summary>All entries, oldest first.</summary>
    public IReadOnlyList<OwnershipEntry> Entries { get; }

    /// <summary>
    /// The journal was made anew after a damaged one had been put aside: an image that it does not know may have
    /// been ceded in the lost one, so none is adopted without the operator's word.
    /// </summary>
    public bool Recreated { get; }

    /// <summary>The images that the journal knows.</summary>
    public IEnumerable<string> Images => _byImage.Keys;

    /// <summary>The entries of one image, oldest first.</summary>
    public IReadOnlyList<OwnershipEntry> Of(string image) =>
        _byImage.TryGetValue(image, out List<OwnershipEntry>? list) ? list : [];

    /// <summary>The last entry of an image, or null where the journal does not know it.</summary>
    public OwnershipEntry? Last(string image) => Of(image) is { Count: > 0 } list ? list[^1] : null;

    /// <summary>Whether the image's entries end in OWNER or RUNNING: the only state in which a guest may be started on it by whatever means.</summary>
    public bool MayRun(string image) => Last(image)?.Kind is AttemptState.Owner or AttemptState.Running;

    /// <summary>
    /// Whether this host is the one that owns the image. PAUSED is a note on top of OWNER: the guest may still be
    /// running while the pause command is at work, nothing has been ceded, and nobody else may write.
    /// </summary>
    public bool Owns(string image) => Last(image) is { } last
        && (last.Kind.IsOwned()
            || (last.Kind == AttemptState.Paused && RoleOf(image, last.Attempt) == AttemptRole.Source));

    /// <summary>The largest epoch that any entry of the image names; 0 where there is none.</summary>
    public ulong HighestEpoch(string image) => Of(image).Select(e => e.Epoch).DefaultIfEmpty().Max();

    /// <summary>The epoch of the image's last entry that says that this host owns; 0 where there is none.</summary>
    public ulong OwnedEpoch(string image) => Of(image).LastOrDefault(e => e.Kind.IsOwned())?.Epoch ?? 0;

    /// <summary>The epoch in the name NAME.incomplete-EPOCH that the image has had since it was owned last; 0 where it was whole then.</summary>
    public ulong IncompleteEpoch(string image) =>
        Of(image).LastOrDefault(e => e.Kind.IsOwned()) is { } owned && owned.Kind.IsIncomplete() ? owned.Epoch : 0;

    /// <summary>The part that this host plays for the image in an attempt: its first entry tells.</summary>
    public AttemptRole RoleOf(string image, Guid attempt) =>
        Of(image).FirstOrDefault(e => e.Attempt == attempt)?.Kind switch
        {
            AttemptState.Paused => AttemptRole.Source,
            AttemptState.Prepared or AttemptState.PreparedTail => AttemptRole.Destination,
            _ => AttemptRole.None,
        };

    /// <summary>The entry with which an attempt began for an image (it carries the command and the peer), or null.</summary>
    public OwnershipEntry? First(string image, Guid attempt) => Of(image).FirstOrDefault(e => e.Attempt == attempt);

    /// <summary>The last entry of each image in an attempt where this host plays the given part, in the attempt's order.</summary>
    /// <remarks>The image may have moved on to a later attempt since; see <see cref="Open"/>.</remarks>
    public IReadOnlyList<OwnershipEntry> InAttempt(Guid attempt, AttemptRole role)
    {
        OwnershipEntry? any = Entries.FirstOrDefault(e => e.Attempt == attempt && RoleOf(e.Image, attempt) == role);
        return any is null
            ? []
            : [.. any.Images.Select(i => Of(i).LastOrDefault(e => e.Attempt == attempt)).OfType<OwnershipEntry>()];
    }

    /// <summary>Those of <see cref="InAttempt"/> whose image has not moved on to a later attempt.</summary>
    public IReadOnlyList<OwnershipEntry> Open(Guid attempt, AttemptRole role) =>
        [.. InAttempt(attempt, role).Where(e => ReferenceEquals(e, Last(e.Image)))];
}
