namespace DiskSync.Handoff.Hooks;

/// <summary>How a hook ended.</summary>
/// <param name="ExitCode">Its exit code; 128 + signal where it was killed, -1 where it could not be started, or did not end even when it was killed.</param>
/// <param name="TimedOut">The time limit passed and its process group was killed.</param>
/// <param name="Output">The last 4 KiB of what it wrote to standard output and standard error, as one text.</param>
/// <param name="Elapsed">How long it ran.</param>
public readonly record struct HookResult(int ExitCode, bool TimedOut, string Output, TimeSpan Elapsed)
{
    /// <summary>Nothing to run: as good as a success.</summary>
    public static HookResult Nothing { get; } = new(0, TimedOut: false, string.Empty, TimeSpan.Zero);

    /// <summary>Exit code 0 within the time limit.</summary>
    public bool Succeeded => ExitCode == 0 && !TimedOut;

    /// <summary>One line for an error message: how it ended and the last line it printed.</summary>
    public string Describe()
    {
        string how = TimedOut ? $"did not end within its time limit ({Elapsed.TotalSeconds:F0} s) and was killed" : $"ended with exit code {ExitCode}";
        string last = Output.TrimEnd().Split('\n')[^1].Trim();
        return last.Length == 0 ? how : $"{how}; it said last: {last}";
    }
}
