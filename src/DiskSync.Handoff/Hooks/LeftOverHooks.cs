using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace DiskSync.Handoff.Hooks;

/// <summary>Finds hooks that go on although the disksync that started them was killed.</summary>
/// <remarks>
/// A pause command that is still at work would pause the guest again after it was unpaused. Such a hook is known by
/// its environment, which /proc shows, and by leading its session; no file of ours could be as current.
/// </remarks>
internal static class LeftOverHooks
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits until no hook of the attempt with this action runs; at the limit it is ended, as its own disksync would have done.</summary>
    /// <remarks>For pause commands only: what a resume command has started may be the guest itself.</remarks>
    /// <returns>False where one is still there: it hangs in the kernel, or is another user's.</returns>
    public static async Task<bool> WaitUntilGoneAsync(Guid attempt, GuestAction action, TimeSpan limit)
    {
        if (await IsGoneWithinAsync(attempt, action, limit))
        {
            return true;
        }

        // Nothing else would end it any more, and it could pause a guest that runs elsewhere by then.
        if (Find(attempt, action) is { } hook)
        {
            await HookGroup.EndAsync(hook, grace => IsGoneWithinAsync(attempt, action, grace));
        }

        return Find(attempt, action) is null;
    }

    private static async Task<bool> IsGoneWithinAsync(Guid attempt, GuestAction action, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        while (Find(attempt, action) is not null)
        {
            if (Stopwatch.GetElapsedTime(start) > limit)
            {
                return false;
            }

            await Task.Delay(Interval);
        }

        return true;
    }

    private static int? Find(Guid attempt, GuestAction action)
    {
        string wantedAttempt = $"DISKSYNC_ATTEMPT={attempt}";
        string wantedAction = $"DISKSYNC_ACTION={action.ToString().ToLowerInvariant()}";
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int id) || id == Environment.ProcessId)
            {
                continue;
            }

            try
            {
                string[] variables = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(folder, "environ"))).Split('\0');
                if (variables.Contains(wantedAttempt, StringComparer.Ordinal)
                    && variables.Contains(wantedAction, StringComparer.Ordinal)
                    && SessionOf(File.ReadAllText(Path.Combine(folder, "stat"))) == id)
                {
                    return id;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Gone in the meantime, or another user's: a hook of ours runs as we do.
            }
        }

        return null;
    }

    // After the command's name, which may hold anything, in parentheses: state, parent, group, session.
    private static int SessionOf(string stat)
    {
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 3 && int.TryParse(fields[3], NumberStyles.None, CultureInfo.InvariantCulture, out int session) ? session : -1;
    }
}
