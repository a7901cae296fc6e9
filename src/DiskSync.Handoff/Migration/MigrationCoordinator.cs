using System.Diagnostics;
using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Tracking;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>Drives one migration of one or more images: rounds, pause, proof, hand-over (design sections 4 and 5).</summary>
/// <remarks>
/// Cancellation is honoured until the hand-over begins; a guest that was paused is unpaused first. Whatever fails
/// before CEDED calls the attempt off. Not thread safe; one migration for an object.
/// </remarks>
public sealed class MigrationCoordinator
{
    // A destination that cannot be reached for so long is down, and not about to say anything.
    private static readonly TimeSpan LinkPatience = TimeSpan.FromSeconds(10);

    // Between rounds beside the copy of the memory: what is written often is sent once and not ten times.
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(1);

    private readonly SourceHandOver _handOver;
    private readonly Func<CancellationToken, Task<SourceSession>> _dial;
    private readonly HookTimes _hookTimes;
    private readonly MigrationOptions _options;
    private readonly IProgressSink _progress;
    private readonly IMigrationEvents _events;

    /// <summary>Prepares a migration.</summary>
    /// <param name="handOver">The source's side of the hand-over.</param>
    /// <param name="dial">Opens a session with the destination; called again where an answer got lost.</param>
    /// <param name="hookTimes">What hooks took before.</param>
    /// <param name="options">How it is to run.</param>
    /// <param name="progress">Where progress goes.</param>
    /// <param name="events">Hears how it goes on.</param>
    public MigrationCoordinator(
        SourceHandOver handOver,
        Func<CancellationToken, Task<SourceSession>> dial,
        HookTimes hookTimes,
        MigrationOptions options,
        IProgressSink progress,
        IMigrationEvents events)
    {
        _handOver = handOver;
        _dial = dial;
        _hookTimes = hookTimes;
        _options = options;
        _progress = progress;
        _events = events;
    }

    /// <summary>Runs the migration.</summary>
    /// <param name="requests">The images, each once; one attempt for all of them.</param>
    /// <param name="destination">The destination as the user wrote it.</param>
    /// <param name="cancellationToken">See the remarks of the class.</param>
    /// <exception cref="DiskSyncException">It failed; the message says who owns and whose guest runs.</exception>
    public async Task<MigrationResult> RunAsync(
        IReadOnlyList<TransferRequest> requests, string destination, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        _events.Entered(MigrationState.Preparing);
        string[] identities = [.. requests.Select(r => ImageIdentity.Of(r.Source.Name))];
        SourceFence.RefuseTwice(identities);
        string[] lent = [.. identities.Where((_, i) => requests[i].Tracking is not null)];
        using SourceAttempt attempt = _handOver.Begin(identities, destination, _options.Machine.Record, lent);
        await using SourceSession session = await _dial(cancellationToken);
        List<ImageMigration> images = [];
        try
        {
            // An attempt that was called off without a link is PREPARED there still, and guards its copies.
            await _handOver.ReleaseEarlierAsync(attempt, new SessionHandOverLink(session), cancellationToken);
            await OpenAsync(session, requests, images, cancellationToken);
            WriteGovernor? governor = GovernorOf(images);
            await RunRoundsAsync(images, cancellationToken);
            TimeSpan proof = await ProveAsync(images, cancellationToken);

            // What was written during the proof, where that is known: such rounds cost only what is dirty.
            await ShrinkAsync([.. images.Where(i => i.IsTracked)], _options.MaxRounds, cancellationToken);
            Forecast forecast = ForecastOf(images, destination);
            TimeSpan maxDowntime = _options.MaxDowntime ?? ForecastModel.DefaultBudget(forecast);
            if (governor is not null && forecast.Total > maxDowntime)
            {
                forecast = await governor.HoldAsync(
                    token => RunRoundAsync(images, CopyPhase.DeltaRound, token),
                    () => ForecastOf(images, destination),
                    maxDowntime,
                    images.Max(i => ForecastModel.CarriedRate(i.Rounds)),
                    cancellationToken);
            }

            _events.Forecasted(forecast, maxDowntime);
            RefuseTooLong(forecast, maxDowntime);
            return await SwitchOverAsync(
                new Switchover(attempt, session, images, forecast, maxDowntime, proof, start), destination, cancellationToken);
        }
        catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
        {
            // Before the pause: whoever stops it later is answered by SwitchOverAsync.
            await session.TellPeerAsync(exception);
            throw new DiskSyncException(
                FailureKind.Interrupted,
                $"the migration of {string.Join(", ", identities)} was stopped; the guest was not paused",
                "Run the same command again: it goes on from what is durable at the destination.",
                exception);
        }
        catch (Exception exception)
        {
            await session.TellPeerAsync(exception);
            throw;
        }
        finally
        {
            foreach (ImageMigration image in images)
            {
                image.Dispose();
            }
        }
    }

    private async Task OpenAsync(
        SourceSession session,
        IReadOnlyList<TransferRequest> requests,
        List<ImageMigration> images,
        CancellationToken cancellationToken)
    {
        if (!session.Capabilities.HasFlag(Capability.HandOver))
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"{session.Peer} takes no ownership",
                "Start its receiver with a state folder (--state), or use 'disksync push'.");
        }

        // Now, not in the pause: a mistyped hook or socket must not cost a copy and a downtime.
        await CheckMachineAsync(cancellationToken);
        _ = await session.RequestAsync<ResumeChecked>(FrameHeader.NoImage, new CheckResume(_options.Resume), cancellationToken);
        for (int i = 0; i < requests.Count; i++)
        {
            TransferRequest request = requests[i] with { Flags = requests[i].Flags | OpenFlags.HandOver };
            ImageSender sender = await TransferOpener.OpenAsync(
                session, (ushort)i, request, _options.Sender, _progress, cancellationToken);
            images.Add(new ImageMigration(sender, request.Tracking, _events.Notice));
            if (sender.Ready.Notice.Length > 0)
            {
                _events.Notice(sender.Ready.Notice);
            }
        }
    }

    private async Task CheckMachineAsync(CancellationToken cancellationToken)
    {
        if (_options.Machine.CopiesMemory && _options.Resume.Length == 0)
        {
            throw new DiskSyncException(
                FailureKind.Usage,
                "the machine's memory would go to the destination, and nothing is named that lets it run there",
                "Name it with --resume: qmp:SOCKET of that QEMU, or the name of a receiver's hook.");
        }

        await _options.Machine.CheckAsync(cancellationToken);
    }

    private WriteGovernor? GovernorOf(List<ImageMigration> images)
    {
        if (_options.MaxSlowdown is not { } most)
        {
            return null;
        }

        return images.TrueForAll(i => i.CanSlow)
            ? new WriteGovernor(images, most, _events)
            : throw new DiskSyncException(
                FailureKind.Preflight,
                $"source {images.First(i => !i.CanSlow).Sender.Source.Name}: its writes cannot be slowed, for they do not go through an export that tracks them",
                "Leave out --max-slowdown, or let the machine use the image through 'disksync export --track'.");
    }

    private async Task RunRoundsAsync(List<ImageMigration> images, CancellationToken cancellationToken)
    {
        _events.Entered(MigrationState.BulkCopy);
        await RunRoundAsync(images, CopyPhase.BulkCopy, cancellationToken);
        _events.Entered(MigrationState.DeltaRounds);
        await RunRoundAsync(images, CopyPhase.DeltaRound, cancellationToken);
        await ShrinkAsync(images, _options.MaxRounds - 1, cancellationToken);
    }

    /// <summary>Runs rounds for as long as each leaves less than the one before.</summary>
    private static async Task ShrinkAsync(List<ImageMigration> images, int maxRounds, CancellationToken cancellationToken)
    {
        long before = long.MaxValue;
        long last = images.Sum(i => i.Pending());
        for (int round = 0; round < maxRounds && ForecastModel.IsConverging(before, last); round++)
        {
            before = last;
            await RunRoundAsync(images, CopyPhase.DeltaRound, cancellationToken);
            last = images.Sum(i => i.Pending());
        }
    }

    private static async Task RunRoundAsync(List<ImageMigration> images, CopyPhase phase, CancellationToken cancellationToken)
    {
        foreach (ImageMigration image in images)
        {
            await image.RunRoundAsync(phase, cancellationToken);
        }
    }

    private async Task<TimeSpan> ProveAsync(List<ImageMigration> images, CancellationToken cancellationToken)
    {
        _events.Entered(MigrationState.Proving);
        long start = Stopwatch.GetTimestamp();
        foreach (ImageMigration image in images)
        {
            await image.ProveAsync(CopyPhase.DeltaRound, cancellationToken);
        }

        // What was written while the proof ran is caught up with, so that the pause need not.
        await RunRoundAsync(images, CopyPhase.DeltaRound, cancellationToken);
        foreach (ImageMigration image in images)
        {
            await image.ProveAsync(CopyPhase.DeltaRound, cancellationToken);
        }

        return Stopwatch.GetElapsedTime(start);
    }

    private Forecast ForecastOf(List<ImageMigration> images, string destination)
    {
        List<TimeSpan?> hooks = [];
        if (_options.Machine.TimesKey.Length > 0)
        {
            hooks.Add(_hookTimes.Of(GuestAction.Pause, string.Empty, _options.Machine.TimesKey));
        }

        if (_options.Resume.Length > 0)
        {
            hooks.Add(_hookTimes.Of(GuestAction.Resume, destination, _options.Resume));
        }

        return ForecastModel.Make(
            [.. images.Select(i => new ImageOutlook(i.Rounds[0], i.Last, i.IsTracked ? i.Pending() : null))],
            TimeSpan.FromSeconds(images.Sum(i => i.LastProof.TotalSeconds)),
            hooks);
    }

    private static void RefuseTooLong(Forecast forecast, TimeSpan maxDowntime)
    {
        if (forecast.Total > maxDowntime)
        {
            throw new DiskSyncException(
                FailureKind.NotConverged,
                $"the forecast of the downtime, {forecast.Total.TotalSeconds:0.00} s (scan {forecast.Scan.TotalSeconds:0.00}, delta {forecast.Delta.TotalSeconds:0.00}, flush {forecast.Flush.TotalSeconds:0.00}, hooks {forecast.Hooks.TotalSeconds:0.00}), does not fit --max-downtime {maxDowntime.TotalSeconds:0.00} s; the guest was not paused",
                "Allow more with --max-downtime, or run it again when the guest writes less; what was copied is kept.");
        }
    }

    private async Task<MigrationResult> SwitchOverAsync(
        Switchover switchover, string destination, CancellationToken cancellationToken)
    {
        SourceAttempt attempt = switchover.Attempt;
        (long downSince, Task followed) = await PauseAsync(switchover, cancellationToken);
        TimeSpan paused = Stopwatch.GetElapsedTime(downSince);

        // The budget is a promise to whoever waits for the guest: when it is used up, the guest goes on here.
        using CancellationTokenSource budget = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        TimeSpan left = switchover.MaxDowntime - paused;
        budget.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        TimeSpan finalDelta;
        TimeSpan finalProof;
        TimeSpan memory;
        try
        {
            await followed;
            (finalDelta, finalProof) = await FinalDeltaAsync(switchover, budget.Token);
            memory = await CompleteMemoryAsync(budget.Token);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Whatever it was, a bug of ours included: the guest goes on.
            switchover.Images.ForEach(i => i.Release());
            HandOverResult off = await _handOver.CallOffAsync(attempt, null);
            throw CalledOff(off with { Cause = exception }, switchover, cancellationToken);
        }

        _events.Entered(MigrationState.HandingOver);
        _progress.Report(new CopyProgress(CopyPhase.HandOver));
        Hash256[] roots = [.. switchover.Images.Select(i => i.Root)];
        long handOverStart = Stopwatch.GetTimestamp();
        SwitchoverLink timed = new(new SessionHandOverLink(switchover.Session), budget.Token);
        void ConfirmCeded()
        {
            foreach ((ImageMigration image, string identity) in switchover.Images.Zip(attempt.Images))
            {
                if (!ImageIdentity.IsDevice(identity))
                {
                    image.Sender.Source.CheckIsAt(FileSourceImages.CededName(identity, attempt.Epoch));
                }
            }
        }

        HandOverResult outcome = await _handOver.HandOverAsync(
            attempt, roots, _options.Resume, timed, ConfirmCeded, cancellationToken);
        TimeSpan all = Stopwatch.GetElapsedTime(handOverStart);
        if (outcome.State == HandOverState.InDoubt)
        {
            outcome = await AskAgainAsync(attempt, outcome);
        }

        if (outcome.State != HandOverState.Done && outcome.State != HandOverState.InDoubt)
        {
            switchover.Images.ForEach(i => i.Release());
            throw CalledOff(outcome, switchover, cancellationToken);
        }

        if (outcome is { State: HandOverState.Done, Resume: null })
        {
            outcome = await AskForGuestAsync(attempt, outcome, cancellationToken);
        }

        ThrowUnlessDone(outcome, attempt);
        _events.Entered(MigrationState.Done);
        TimeSpan downtime = Stopwatch.GetElapsedTime(downSince);
        _hookTimes.Note(GuestAction.Pause, string.Empty, _options.Machine.TimesKey, paused + memory);
        _hookTimes.Note(GuestAction.Resume, destination, _options.Resume, timed.Resume);
        await EndQuietlyAsync(switchover.Session);
        TimeSpan fullVerify = await AuditAsync(switchover, attempt, cancellationToken);
        return new MigrationResult
        {
            Attempt = attempt.Id,
            Epoch = attempt.Epoch,
            Roots = roots,
            Rounds = [.. switchover.Images.Select(i => i.Rounds)],
            Forecast = switchover.Forecast,
            MaxDowntime = switchover.MaxDowntime,
            Proof = switchover.Proof,
            Pause = paused,
            FinalDelta = finalDelta,
            FinalProof = finalProof,
            Memory = memory,
            HandOver = all - timed.Resume,
            Resume = timed.Resume,
            Downtime = downtime,
            Total = Stopwatch.GetElapsedTime(switchover.Start),
            BytesSent = switchover.Session.BytesSent,
            BytesReceived = switchover.Session.BytesReceived,
            Bases = [.. switchover.Images.Select(i => i.Sender.Ready.BaseUsed)],
            Notices = [.. switchover.Images.Select(i => i.Sender.Ready.Notice).Where(n => n.Length > 0)],
            SourceBases = [.. switchover.Images.Select(i => i.SourceBasis)],
            FullVerify = fullVerify,
            Outcome = outcome,
        };
    }

    /// <summary>Pauses the machine; where its memory moves, that is copied first while it runs.</summary>
    /// <returns>Since when it stands still, and how the rounds beside it ended: to be awaited where a failure calls the attempt off.</returns>
    private async Task<(long DownSince, Task Followed)> PauseAsync(Switchover switchover, CancellationToken cancellationToken)
    {
        bool copiesMemory = _options.Machine.CopiesMemory;
        _events.Entered(copiesMemory ? MigrationState.CopyingMemory : MigrationState.Paused);
        _progress.Report(new CopyProgress(copiesMemory ? CopyPhase.Memory : CopyPhase.Hook));
        Task<long> pause = _handOver.PauseAsync(switchover.Attempt, _options.Machine, cancellationToken);
        Task followed = copiesMemory ? FollowAsync(switchover.Images, pause, cancellationToken) : Task.CompletedTask;
        try
        {
            long downSince = await pause;
            if (copiesMemory)
            {
                _events.Entered(MigrationState.Paused);
            }

            await Task.WhenAny(followed);
            return (downSince, followed);
        }
        catch
        {
            // The session is still theirs; what became of them does not matter any more.
            await Task.WhenAny(followed);
            _ = followed.Exception;
            throw;
        }
    }

    /// <summary>Keeps the destination close while memory is copied, which may take minutes: rounds over what is tracked, one after the other.</summary>
    /// <remarks>A round is not cut off when the machine stands still: what it sends has to be sent then all the same.</remarks>
    private static async Task FollowAsync(List<ImageMigration> images, Task pause, CancellationToken cancellationToken)
    {
        while (await Task.WhenAny(pause, Task.Delay(FollowInterval, cancellationToken)) != pause && !cancellationToken.IsCancellationRequested)
        {
            List<ImageMigration> dirty = [.. images.Where(i => i.IsTracked && i.Pending() > 0)];
            await RunRoundAsync(dirty, CopyPhase.DeltaRound, cancellationToken);
        }
    }

    /// <summary>The disks are proven: what is left of the memory follows, so that everything is at the destination before the hand-over begins.</summary>
    private async Task<TimeSpan> CompleteMemoryAsync(CancellationToken budget)
    {
        long start = Stopwatch.GetTimestamp();
        await _options.Machine.CompleteAsync(budget);
        return _options.Machine.CopiesMemory ? Stopwatch.GetElapsedTime(start) : TimeSpan.Zero;
    }

    private static async Task<(TimeSpan Delta, TimeSpan Proof)> FinalDeltaAsync(Switchover switchover, CancellationToken budget)
    {
        long start = Stopwatch.GetTimestamp();
        foreach (ImageMigration image in switchover.Images)
        {
            image.Fence(switchover.MaxDowntime);
        }

        await RunRoundAsync(switchover.Images, CopyPhase.FinalDelta, budget);
        TimeSpan delta = Stopwatch.GetElapsedTime(start);
        start = Stopwatch.GetTimestamp();
        foreach (ImageMigration image in switchover.Images)
        {
            await image.ProveAsync(CopyPhase.FinalDelta, budget);
        }

        return (delta, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>The machine runs at the destination and nobody may write here: what nobody has read for the hand-over's sake is read now.</summary>
    /// <returns>How long all of it took where the user asked for that.</returns>
    private async Task<TimeSpan> AuditAsync(Switchover switchover, SourceAttempt attempt, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        foreach ((ImageMigration image, string identity) in switchover.Images.Zip(attempt.Images))
        {
            if (!image.IsTracked && !_options.VerifiesFully)
            {
                continue;
            }

            AuditResult audit = await Task.Run(() => image.Audit(_options.VerifiesFully, _progress, cancellationToken), cancellationToken);
            if (audit.Different.Count > 0)
            {
                throw new DiskSyncException(
                    FailureKind.Source,
                    $"{identity} was handed over with epoch {attempt.Epoch}, and {audit.Different.Count} of {audit.Audited} blocks that were read of it since are not what the destination got, the first at offset {image.Sender.Geometry.OffsetOf(audit.Different[0])}: writes were lost by whoever tracked them ({image.SourceBasis})",
                    $"Stop the machine at the destination. The source's copy is whole ({FileSourceImages.CededName(identity, attempt.Epoch)}): 'disksync diff' shows where they differ.");
            }
        }

        return _options.VerifiesFully ? Stopwatch.GetElapsedTime(start) : TimeSpan.Zero;
    }

    /// <summary>The destination's answer got lost: a new connection asks again, for a short while, before the operator has to.</summary>
    private async Task<HandOverResult> AskAgainAsync(SourceAttempt attempt, HandOverResult outcome)
    {
        for (int i = 0; i < 5 && outcome.State == HandOverState.InDoubt; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(i));
            try
            {
                await using SourceSession session = await _dial(CancellationToken.None);
                outcome = await _handOver.ResolveAsync(
                    attempt, new SessionHandOverLink(session), CededWish.Complete, CancellationToken.None);
            }
            catch (DiskSyncException exception)
            {
                _events.Notice(exception.Message);
            }
        }

        return outcome;
    }

    /// <summary>The link broke while the destination's guest was being resumed: nobody may call that a success before the destination says RUNNING.</summary>
    private async Task<HandOverResult> AskForGuestAsync(
        SourceAttempt attempt, HandOverResult outcome, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        long reached = start;
        while (outcome.Resume is null && !cancellationToken.IsCancellationRequested
            && Stopwatch.GetElapsedTime(start) < _options.ResumePatience
            && Stopwatch.GetElapsedTime(reached) < LinkPatience)
        {
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
                await using SourceSession session = await _dial(cancellationToken);
                reached = Stopwatch.GetTimestamp();
                outcome = await _handOver.ResolveAsync(
                    attempt, new SessionHandOverLink(session), CededWish.Complete, cancellationToken);
            }
            catch (Exception exception) when (exception is DiskSyncException or OperationCanceledException)
            {
                // It is asked again until the time is over.
            }
        }

        return outcome;
    }

    private static void ThrowUnlessDone(HandOverResult outcome, SourceAttempt attempt)
    {
        switch (outcome)
        {
            case { State: HandOverState.Done, Resume: { Running: true } }:
                return;
            case { State: HandOverState.Done, Resume: null }:
                // Moved, but not done: whoever hears "done" removes the guest that may be the only one.
                throw new DiskSyncException(
                    outcome.Cause is OperationCanceledException ? FailureKind.Interrupted : FailureKind.Transport,
                    $"the destination owns epoch {outcome.Epoch}; whether its guest runs is not known",
                    "The source stays paused. At the destination, 'disksync owner' says how its guest is, and resumes it where that is left to do.",
                    outcome.Cause);
            case { State: HandOverState.Done, Resume: { } failed }:
                throw new DiskSyncException(
                    FailureKind.Destination,
                    $"the destination owns epoch {outcome.Epoch}, but {failed.Describe()}",
                    $"The source stays paused. At the destination: mend that and run 'disksync owner', or hand back with 'disksync owner --return'; then run 'disksync owner {attempt.Images[0]}' here.");
            default:
                throw new DiskSyncException(
                    FailureKind.OwnershipInDoubt,
                    outcome.Message,
                    $"Nothing may be started by hand. Run 'disksync owner {attempt.Images[0]}' here, or the same migrate again, when the destination can be reached.",
                    outcome.Cause);
        }
    }

    /// <summary>The error of an attempt that was called off while the guest was paused: its cause, and how the guest is now.</summary>
    private static DiskSyncException CalledOff(HandOverResult off, Switchover switchover, CancellationToken cancellationToken)
    {
        const string Again = "Run the same command again; what was copied is kept.";
        (FailureKind kind, string reason, string advice) = off.Cause switch
        {
            DiskSyncException known => (known.Kind, known.Message, known.Advice),
            OperationCanceledException when cancellationToken.IsCancellationRequested =>
                (FailureKind.Interrupted, "stopped by its user while the guest was paused", Again),
            OperationCanceledException => (
                FailureKind.NotConverged,
                $"the pause did not fit the accepted downtime of {switchover.MaxDowntime.TotalSeconds:0.00} s (the forecast was {switchover.Forecast.Total.TotalSeconds:0.00} s)",
                "Allow more with --max-downtime, or run it again when the guest writes less; what was copied is kept."),
            { } unknown => (FailureKind.Destination, $"the hand-over failed: {unknown.Message}", Again),
            null => (FailureKind.Destination, "the destination refused", Again),
        };
        return new DiskSyncException(
            off.State == HandOverState.SourceOwnsButPaused ? FailureKind.OwnershipInDoubt : kind,
            $"{reason}{(reason.EndsWith('.') ? " " : ". ")}{off.Message}",
            advice,
            off.Cause);
    }

    private static async Task EndQuietlyAsync(SourceSession session)
    {
        try
        {
            using CancellationTokenSource patience = new(TimeSpan.FromSeconds(5));
            await session.EndAsync(patience.Token);
        }
        catch (Exception exception) when (exception is DiskSyncException or OperationCanceledException)
        {
            // The ownership has moved; how the connection ends no longer matters.
        }
    }
}
