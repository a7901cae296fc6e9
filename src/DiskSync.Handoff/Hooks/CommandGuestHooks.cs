namespace DiskSync.Handoff.Hooks;

/// <summary>Guests that are paused, unpaused and resumed by the user's commands.</summary>
public sealed class CommandGuestHooks : IGuestHooks
{
    private readonly HookRunner _runner;

    /// <summary>Runs them with the given runner.</summary>
    public CommandGuestHooks(HookRunner runner) => _runner = runner;

    /// <inheritdoc/>
    public Task<HookResult> RunAsync(string command, HookContext context)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentNullException.ThrowIfNull(context);
        return command.Length == 0 ? Task.FromResult(HookResult.Nothing) : _runner.RunAsync(command, context.ToEnvironment());
    }
}
