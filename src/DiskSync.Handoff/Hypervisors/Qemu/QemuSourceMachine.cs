using System.Diagnostics;
using System.Globalization;
using DiskSync.Engine;
using DiskSync.Engine.Progress;
using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>A QEMU at the source.</summary>
/// <remarks>
/// With a memory route its pause is QEMU's own: the memory is copied while the machine runs, and with the capability
/// pause-before-switchover QEMU then stops it, drains and flushes its disks, and waits ("pre-switchover"). Completing
/// sends the rest; the machine is then in "postmigrate", from where it can go on here as long as this host owns.
/// </remarks>
internal sealed class QemuSourceMachine : ISourceMachine
{
    private const string PauseCapability = "pause-before-switchover";
    private const string PreSwitchover = "pre-switchover";
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ShortPoll = TimeSpan.FromMilliseconds(2);

    private readonly string _socket;
    private readonly MemoryRoute? _memory;
    private readonly TimeSpan _limit;
    private readonly IProgressSink _progress;

    public QemuSourceMachine(string socket, MemoryRoute? memory, TimeSpan limit, IProgressSink progress)
    {
        _socket = socket;
        _memory = memory;
        _limit = limit;
        _progress = progress;
    }

    public string Record => QmpAddress.Of(_socket);

    public string TimesKey => Record;

    public bool CopiesMemory => _memory is not null;

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        using QemuMonitor monitor = await OpenAsync(cancellationToken);
        string status = await monitor.StatusAsync(cancellationToken);
        if (status != "running")
        {
            throw Refused($"its machine is not running but '{status}'", "Let it run (cont), or move its disks without --qemu.");
        }

        QemuMigration migration = await monitor.MigrationAsync(cancellationToken);
        if (migration.IsUnderWay)
        {
            throw Refused($"another migration of it is under way ({migration.Status})", "Wait for its end, or end it with migrate_cancel.");
        }

        if (_memory is not null && migration.Blockers.Count > 0)
        {
            throw Refused($"its machine cannot be migrated: {string.Join("; ", migration.Blockers)}", "Take that out of the machine, or move its disks without --memory-uri.");
        }

        if (_memory is not null && !await monitor.HasCapabilityAsync(PauseCapability, cancellationToken))
        {
            throw Refused($"it does not have the capability {PauseCapability}", "QEMU 2.12 or later is needed.");
        }
    }

    public async Task<MachineResult> PauseAsync(HookContext context, CancellationToken cancellationToken)
    {
        try
        {
            using QemuMonitor monitor = await OpenAsync(cancellationToken);
            if (_memory is not null)
            {
                return await CopyMemoryAsync(monitor, _memory, cancellationToken);
            }

            long since = Stopwatch.GetTimestamp();
            await monitor.StopAsync(CancellationToken.None);
            string status = await monitor.StatusAsync(CancellationToken.None);
            return status == "paused"
                ? MachineResult.Done with { Since = since }
                : MachineResult.Failed($"QEMU at {_socket} was told to stop and is '{status}'");
        }
        catch (DiskSyncException exception)
        {
            return MachineResult.Failed(exception);
        }
    }

    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_memory is null)
        {
            return;
        }

        using QemuMonitor monitor = await OpenAsync(cancellationToken);
        await monitor.ContinueMigrationAsync(PreSwitchover, cancellationToken);
        QemuMigration migration = await monitor.MigrationAsync(cancellationToken);
        while (migration.IsUnderWay)
        {
            await monitor.WaitAsync(ShortPoll, cancellationToken);
            migration = await monitor.MigrationAsync(cancellationToken);
        }

        string status = await monitor.StatusAsync(cancellationToken);
        if (migration.Status != "completed" || status != "postmigrate")
        {
            throw Failure(migration, $"the last part of the memory did not get there (the machine is '{status}')");
        }
    }

    public async Task<MachineResult> UnpauseAsync(HookContext context)
    {
        using CancellationTokenSource limit = new(_limit);
        try
        {
            using QemuMonitor monitor = await OpenAsync(limit.Token);
            await EndMigrationAsync(monitor, limit.Token);
            string status = await monitor.StatusAsync(limit.Token);
            while (status == "finish-migrate")
            {
                await monitor.WaitAsync(Poll, limit.Token);
                status = await monitor.StatusAsync(limit.Token);
            }

            if (status == "inmigrate")
            {
                return MachineResult.Failed(
                    $"QEMU at {_socket} waits for a machine to arrive: it is not the one that was paused. Start the machine at that socket");
            }

            if (status != "running")
            {
                await monitor.ContinueAsync(limit.Token);
                status = await monitor.StatusAsync(limit.Token);
            }

            if (status != "running")
            {
                return MachineResult.Failed($"QEMU at {_socket} was told to go on and is '{status}'");
            }

            await RemoveLeftOversAsync(monitor, limit.Token);
            return MachineResult.Done;
        }
        catch (DiskSyncException exception)
        {
            return MachineResult.Failed(exception);
        }
        catch (OperationCanceledException)
        {
            return MachineResult.Failed($"QEMU at {_socket} did not let the machine go on within {_limit.TotalSeconds:0.#} s");
        }
    }

    private static async Task RemoveLeftOversAsync(QemuMonitor monitor, CancellationToken cancellationToken)
    {
        try
        {
            await monitor.RemoveLeftOversAsync(cancellationToken);
        }
        catch (DiskSyncException)
        {
            // The machine runs, and that is what was asked; the next migrate removes them.
        }
    }

    /// <summary>Whatever migration is still at work is cancelled: QEMU then lets the machine go on by itself, but for one that it had brought to the end.</summary>
    private static async Task EndMigrationAsync(QemuMonitor monitor, CancellationToken cancellationToken)
    {
        QemuMigration migration = await monitor.MigrationAsync(cancellationToken);
        if (migration.IsUnderWay)
        {
            await monitor.CancelMigrationAsync(cancellationToken);
            while (migration.IsUnderWay)
            {
                await monitor.WaitAsync(ShortPoll, cancellationToken);
                migration = await monitor.MigrationAsync(cancellationToken);
            }
        }

        // Nobody who migrates this machine by hand later is to wonder why it stops half way.
        if (await monitor.HasCapabilityAsync(PauseCapability, cancellationToken))
        {
            await monitor.SetCapabilityAsync(PauseCapability, false, cancellationToken);
        }
    }

    private async Task<MachineResult> CopyMemoryAsync(QemuMonitor monitor, MemoryRoute route, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        long since = start;
        bool stopped = false;
        await monitor.SetCapabilityAsync(PauseCapability, true, cancellationToken);
        await monitor.MigrateAsync(route.Uri, cancellationToken);
        while (true)
        {
            QemuMigration migration = await monitor.MigrationAsync(cancellationToken);
            if (migration.Status == PreSwitchover)
            {
                return MachineResult.Done with { Since = since };
            }

            // It stands still from the event on; where that came with the last answer, since the look before.
            since = stopped ? since : Stopwatch.GetTimestamp();
            if (!migration.IsUnderWay)
            {
                return MachineResult.Failed(Failure(migration, "its memory could not be copied"));
            }

            if (Stopwatch.GetElapsedTime(start) > route.Limit)
            {
                return NotConverged(route, migration);
            }

            _progress.Report(new CopyProgress(CopyPhase.Memory)
            {
                BytesDone = Math.Max(0, migration.Total - migration.Remaining),
                BytesTotal = migration.Total,
                SentBytes = migration.Sent,
            });

            stopped |= await monitor.WaitAsync(Poll, cancellationToken);
        }
    }

    private MachineResult NotConverged(MemoryRoute route, QemuMigration migration) => MachineResult.Failed(string.Create(
        CultureInfo.InvariantCulture,
        $"the memory of the machine at {_socket} was not copied within {route.Limit.TotalSeconds:0} s: {ByteSize.Format(migration.Remaining)} of {ByteSize.Format(migration.Total)} are left, it changes {ByteSize.Format((long)migration.DirtyRate)}/s and {ByteSize.Format((long)migration.LinkRate)}/s get through. Allow more time (--memory-timeout), a faster link or a longer stop (QEMU's max-bandwidth and downtime-limit), or slow the machine down (auto-converge)"))
        with
    { Kind = FailureKind.NotConverged };

    private DiskSyncException Failure(QemuMigration migration, string what)
    {
        string why = migration.Problem.Length > 0 ? migration.Problem.TrimEnd('.') : $"its migration is '{migration.Status}'";
        return new DiskSyncException(
            FailureKind.Source,
            $"source: QEMU at {_socket}: {what}: {why}",
            $"Look at the logs of both QEMUs. The one at the destination is of no more use: end it and start it again with -incoming{(_memory is null ? string.Empty : $" (for {_memory.Uri})")}.");
    }

    private DiskSyncException Refused(string why, string advice) =>
        new(FailureKind.Preflight, $"source: QEMU at {_socket}: {why}; nothing was paused", advice);

    private Task<QemuMonitor> OpenAsync(CancellationToken cancellationToken) => QemuMonitor.OpenAsync(Side.Source, _socket, _limit, cancellationToken);
}
