namespace DiskSync.Handoff.Hooks;

/// <summary>Pauses, unpauses and resumes the guest.</summary>
/// <remarks>Takes no cancellation token: a hook that is cut off half way leaves a guest that nobody knows about; the time limit is its end.</remarks>
public interface IGuestHooks
{
    /// <summary>The most that one of them may take.</summary>
    TimeSpan Limit { get; }

    /// <summary>Runs what the command or hook name stands for, to its end or its time limit.</summary>
    /// <param name="command">The command (source) or the command or hook name (destination); empty does nothing and succeeds.</param>
    /// <param name="context">What it is told.</param>
    /// <returns>How it ended; a command that cannot be started is an exit code of -1, not an exception.</returns>
    Task<HookResult> RunAsync(string command, HookContext context);
}
