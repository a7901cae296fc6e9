using System.Diagnostics;
using DiskSync.Engine;
using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>A QEMU at the destination that was started with <c>-incoming</c>: it takes the machine's memory in, holds it, and runs it once this host owns the disks.</summary>
/// <remarks>
/// The check tells it not to start by itself (as <c>-S</c> does), and, where it can, not to open its disks for
/// writing before it runs (late-block-activate).
/// </remarks>
internal sealed class QemuDestinationMachine(string socket, TimeSpan limit) : IDestinationMachine
{
    private const string LateCapability = "late-block-activate";
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(2);

    // A source waits for this answer and hears nothing meanwhile.
    private static readonly TimeSpan CheckLimit = TimeSpan.FromSeconds(10);

    // The source has sent everything by then; what is left is to read it.
    private static readonly TimeSpan TakeInLimit = TimeSpan.FromSeconds(15);

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        using QemuMonitor monitor = await QemuMonitor.OpenAsync(
            Side.Destination, socket, limit < CheckLimit ? limit : CheckLimit, cancellationToken);
        string status = await monitor.StatusAsync(cancellationToken);
        QemuMigration migration = await monitor.MigrationAsync(cancellationToken);
        if (status != "inmigrate" || migration.Status != "none")
        {
            throw Refused(
                $"does not wait for a machine to arrive (it is '{status}', its migration '{migration.Status}')",
                "Start it anew with the same machine, -S and -incoming tcp:ADDRESS:PORT or unix:PATH.");
        }

        // Before anything arrives this means: do not start by yourself.
        await monitor.StopAsync(cancellationToken);
        if (await monitor.HasCapabilityAsync(LateCapability, cancellationToken))
        {
            await monitor.SetCapabilityAsync(LateCapability, true, cancellationToken);
        }
    }

    public async Task CheckHeldAsync(CancellationToken cancellationToken)
    {
        using QemuMonitor monitor = await OpenAsync(cancellationToken);
        long start = Stopwatch.GetTimestamp();
        QemuMigration migration = await monitor.MigrationAsync(cancellationToken);
        while (migration.IsUnderWay && Stopwatch.GetElapsedTime(start) < TakeInLimit)
        {
            await monitor.WaitAsync(Poll, cancellationToken);
            migration = await monitor.MigrationAsync(cancellationToken);
        }

        string status = await monitor.StatusAsync(cancellationToken);
        if (migration.Status != "completed")
        {
            throw Refused(
                migration.Status == "none"
                    ? "has no machine's memory: nothing arrived"
                    : $"has not taken the machine's memory in (its migration is '{migration.Status}' {migration.Problem})",
                "Nothing was handed over. The source has to send it there: disksync migrate --qemu SOCKET --memory-uri URI, with the URI of this QEMU's -incoming.");
        }

        if (status != "paused")
        {
            throw Refused(
                $"should hold the machine and is '{status}'",
                "Nothing was handed over. Nobody but disksync may let it run: end it, and start it again with -S and -incoming.");
        }
    }

    public async Task<MachineResult> ResumeAsync(HookContext context)
    {
        using CancellationTokenSource time = new(limit);
        try
        {
            using QemuMonitor monitor = await OpenAsync(time.Token);
            string status = await monitor.StatusAsync(time.Token);
            if (status == "running")
            {
                return MachineResult.Done;
            }

            if ((await monitor.MigrationAsync(time.Token)).Status != "completed")
            {
                return MachineResult.Failed(
                    $"QEMU at {socket} does not have the machine's memory (it is '{status}'): it was started anew. What is on the disk is whole, as "
                    + "after a power cut: start the machine from it and run 'disksync owner', or hand back to the source, which still has the memory, with 'disksync owner --return'");
            }

            await monitor.ContinueAsync(time.Token);
            status = await monitor.StatusAsync(time.Token);
            return status == "running" ? MachineResult.Done : MachineResult.Failed($"QEMU at {socket} was told to go on and is '{status}'");
        }
        catch (DiskSyncException exception)
        {
            return MachineResult.Failed(exception);
        }
        catch (OperationCanceledException)
        {
            return MachineResult.Failed($"QEMU at {socket} did not let the machine run within {limit.TotalSeconds:0.#} s");
        }
    }

    private Task<QemuMonitor> OpenAsync(CancellationToken cancellationToken) => QemuMonitor.OpenAsync(Side.Destination, socket, limit, cancellationToken);

    private DiskSyncException Refused(string why, string advice) =>
        new(FailureKind.Preflight, $"destination: QEMU at {socket} {why}", advice);
}
