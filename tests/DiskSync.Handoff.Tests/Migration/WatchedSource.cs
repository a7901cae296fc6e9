using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;

namespace DiskSync.Handoff.Tests.Migration;

/// <summary>A machine at the source that does what the real one does, and lets a test in when it has been paused.</summary>
internal sealed class WatchedSource(ISourceMachine inner, Action afterPause) : ISourceMachine
{
    public string Record => inner.Record;

    public string TimesKey => inner.TimesKey;

    public bool CopiesMemory => inner.CopiesMemory;

    /// <summary>Puts one into the lab's next migration.</summary>
    public static void Arm(MigrationLab lab, Action afterPause, ISourceMachine machine) =>
        lab.Options = lab.Options with { Machine = new WatchedSource(machine, afterPause) };

    public Task CheckAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    public async Task<MachineResult> PauseAsync(HookContext context, CancellationToken cancellationToken)
    {
        MachineResult result = await inner.PauseAsync(context, cancellationToken);
        afterPause();
        return result;
    }

    public Task CompleteAsync(CancellationToken cancellationToken) => inner.CompleteAsync(cancellationToken);

    public Task<MachineResult> UnpauseAsync(HookContext context) => inner.UnpauseAsync(context);
}
