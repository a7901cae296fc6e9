using System.Globalization;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>Reads user:group, by name or by number.</summary>
internal static class OwnerText
{
    /// <summary>The ids, or null for an empty text.</summary>
    /// <exception cref="DiskSyncException">There is no such user or group on this host (kind Preflight).</exception>
    public static (uint User, uint Group)? Parse(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string userName = colon < 0 ? text : text[..colon];
        uint user = Id(userName, UserLookup.UserId) ?? throw Unknown("user", userName);
        if (colon < 0)
        {
            return (user, UserLookup.PrimaryGroupId(user) ?? user);
        }

        string groupName = text[(colon + 1)..];
        return (user, Id(groupName, UserLookup.GroupId) ?? throw Unknown("group", groupName));
    }

    private static uint? Id(string text, Func<string, uint?> find) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) ? id : find(text);

    private static DiskSyncException Unknown(string what, string name) => new(
        FailureKind.Preflight, $"destination: there is no {what} '{name}' on that host", "Write --owner as user:group, by name or by number.");
}
