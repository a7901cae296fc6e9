using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Hypervisors;

/// <summary>No machine runs on the images: there is nothing to pause.</summary>
public sealed class NoMachine : ISourceMachine
{
    private NoMachine()
    {
    }

    /// <summary>The only one.</summary>
    public static NoMachine Instance { get; } = new();

    /// <inheritdoc/>
    public string Record => string.Empty;

    /// <inheritdoc/>
    public string TimesKey => string.Empty;

    /// <inheritdoc/>
    public bool CopiesMemory => false;

    /// <inheritdoc/>
    public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<MachineResult> PauseAsync(HookContext context, CancellationToken cancellationToken) => Task.FromResult(MachineResult.Done);

    /// <inheritdoc/>
    public Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<MachineResult> UnpauseAsync(HookContext context) => Task.FromResult(MachineResult.Done);
}
