using DiskSync.Codecs;

namespace DiskSync.Handoff.Hooks;

/// <summary>What a hook is told, through its environment.</summary>
/// <param name="Action">What the hook is to do.</param>
/// <param name="Attempt">DISKSYNC_ATTEMPT.</param>
/// <param name="Epoch">DISKSYNC_EPOCH: the epoch that is owned, or that the attempt is for.</param>
/// <param name="Images">DISKSYNC_IMAGE is the first, DISKSYNC_IMAGES all, one a line: paths as they are on this side.</param>
/// <param name="Roots">DISKSYNC_ROOT_HASH is the first, DISKSYNC_ROOT_HASHES all, one a line; empty where nothing was verified yet.</param>
public sealed record HookContext(
    GuestAction Action,
    Guid Attempt,
    ulong Epoch,
    IReadOnlyList<string> Images,
    IReadOnlyList<Hash256> Roots)
{
    /// <summary>DISKSYNC_SIDE: "source" or "destination".</summary>
    public string Side => Action == GuestAction.Resume ? "destination" : "source";

    /// <summary>The environment variables, beside those that the hook inherits.</summary>
    public IReadOnlyDictionary<string, string> ToEnvironment()
    {
        bool known = Roots.Count > 0 && !Roots[0].IsUnknown;
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["DISKSYNC_ACTION"] = Action.ToString().ToLowerInvariant(),
            ["DISKSYNC_SIDE"] = Side,
            ["DISKSYNC_ATTEMPT"] = Attempt.ToString(),
            ["DISKSYNC_EPOCH"] = Epoch.ToString(),
            ["DISKSYNC_IMAGE"] = Images.Count > 0 ? Images[0] : string.Empty,
            ["DISKSYNC_IMAGES"] = string.Join('\n', Images),
            ["DISKSYNC_ROOT_HASH"] = known ? Roots[0].ToString() : string.Empty,
            ["DISKSYNC_ROOT_HASHES"] = known ? string.Join('\n', Roots) : string.Empty,
        };
    }
}
