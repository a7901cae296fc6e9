namespace DiskSync.Handoff.Hooks;

/// <summary>Guests that are paused, unpaused and resumed by the user's commands.</summary>
/// <remarks>
/// Before the guest is unpaused, a pause command of the same attempt that outlived a killed disksync is waited for,
/// at most its time limit, and then ended: it would pause the guest again.
/// </remarks>
public sealed class CommandGuestHooks : IGuestHooks
{
    private readonly HookRunner _runner;

    /// <summary>Runs them with the given runner.</summary>
    public CommandGuestHooks(HookRunner runner) => _runner = runner;

    /// <inheritdoc/>
    public async Task<HookResult> RunAsync(string command, HookContext context)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentNullException.ThrowIfNull(context);
        if (context.Action == GuestAction.Unpause)
        {
            _ = await LeftOverHooks.WaitUntilGoneAsync(context.Attempt, GuestAction.Pause, _runner.Limit);
        }

        return command.Length == 0 ? HookResult.Nothing : await _runner.RunAsync(command, context.ToEnvironment());
    }
}
