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
        string[] lent = [.. identities.Where((_, i) => requests[i].Tracking is { IsExport: true })];
        using SourceAttempt attempt = _handOver.Begin(identities, destination, _options.Machine.Record, lent);
        await using SourceSession session = await _dial(cancellationToken);
        List<ImageMigration> images = [];
        try
        {
            // An attempt that was called off without a link is PREPARED there still, and guards its copies.
            await _handOver.ReleaseEarlierAsync(attempt, new SessionHandOverLink(session), cancellationToken);
            await OpenAsync(session, requests, images, cancellationToken);
            MigrationRounds rounds = new(images, _options, _progress, _events);
            WriteGovernor? governor = rounds.Governor();
            await rounds.CopyAsync(cancellationToken);
            TimeSpan proof = await rounds.ProveAsync(cancellationToken);
            await rounds.CatchUpAsync(cancellationToken);
            Forecast forecast = ForecastOf(images, destination);
            TimeSpan maxDowntime = _options.MaxDowntime ?? ForecastModel.DefaultBudget(forecast);
            if (governor is not null && forecast.Total > maxDowntime)
            {
                forecast = await HoldAsync(governor, rounds, images, maxDowntime, destination, cancellationToken);
            }

            _events.Forecasted(forecast, maxDowntime);
            bool withTail = _options.Tail is not null && forecast.Total > maxDowntime;
            MigrationErrors.RefuseTooLong(withTail ? ForecastModel.WithoutDelta(forecast) : forecast, maxDowntime);
            Switchover switchover = new(attempt, session, images, rounds, forecast, maxDowntime, proof, withTail, start);
            if (withTail)
            {
                WarnOfTail(session, ForecastTail(switchover), switchover.Rate);
            }

            return await SwitchOverAsync(switchover, destination, cancellationToken);
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

    /// <summary>Slows the machine's writes until the forecast fits; where even that is not enough, a tail may be.</summary>
    private async Task<Forecast> HoldAsync(
        WriteGovernor governor,
        MigrationRounds rounds,
        List<ImageMigration> images,
        TimeSpan maxDowntime,
        string destination,
        CancellationToken cancellationToken)
    {
        try
        {
            return await governor.HoldAsync(
                rounds.RunDeltaAsync,
                () => ForecastOf(images, destination),
                maxDowntime,
                images.Max(i => ForecastModel.CarriedRate(i.Rounds)),
                cancellationToken);
        }
        catch (DiskSyncException exception) when (exception.Kind == FailureKind.NotConverged && _options.Tail is not null)
        {
            _events.Notice(exception.Message);
            return ForecastOf(images, destination);
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
            ImageMigration image = new(sender, request.Tracking, _events.Notice);
            images.Add(image);
            if (image.StartsFromBaseline)
            {
                _events.Notice($"{request.Source.Name}: the destination holds what it was when it came here, so only what was written since is looked at");
            }

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

    /// <summary>What will be left when as much as fits has been sent.</summary>
    private static long ForecastTail(Switchover switchover)
    {
        TimeSpan left = switchover.MaxDowntime - ForecastModel.WithoutDelta(switchover.Forecast).Total;
        return Math.Max(0, switchover.Images.Sum(i => i.Pending()) - (long)(switchover.Rate * left.TotalSeconds));
    }

    private void WarnOfTail(SourceSession session, long bytes, double rate)
    {
        if (!session.Capabilities.HasFlag(Capability.Tail))
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"{session.Peer} takes no on-demand tail",
                "Start a receiver of this version there, or leave out --tail.");
        }

        _events.Notice(TailText.Warning(bytes, rate));
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
        long missing;
        try
        {
            await followed;
            (finalDelta, finalProof, missing) = await switchover.Rounds.FinishAsync(
                switchover.MaxDowntime, switchover.IsEnough(downSince, ResumeGuess(destination)), budget.Token);
            memory = await CompleteMemoryAsync(budget.Token);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Whatever it was, a bug of ours included: the guest goes on.
            switchover.Images.ForEach(i => i.Release());
            HandOverResult off = await _handOver.CallOffAsync(attempt, null);
            throw MigrationErrors.CalledOff(off with { Cause = exception }, switchover, cancellationToken);
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

        _handOver.OnPinned = () => _options.Tail?.Start(attempt, [.. switchover.Images.Select(i => i.Sender.Source)], switchover.Images[0].Sender.Geometry.Granularity);
        HandOverResult outcome = await _handOver.HandOverAsync(
            attempt, roots, _options.Resume, missing > 0, timed, ConfirmCeded, cancellationToken);
        TimeSpan all = Stopwatch.GetElapsedTime(handOverStart);
        LostAnswers answers = new(_handOver, _dial, _options.ResumePatience, _events);
        if (outcome.State == HandOverState.InDoubt)
        {
            outcome = await answers.AskAgainAsync(attempt, outcome);
        }

        if (outcome.State is not (HandOverState.Done or HandOverState.Pinned or HandOverState.InDoubt))
        {
            switchover.Images.ForEach(i => i.Release());
            throw MigrationErrors.CalledOff(outcome, switchover, cancellationToken);
        }

        if (outcome is { State: HandOverState.Done or HandOverState.Pinned, Resume: null })
        {
            outcome = await answers.AskForGuestAsync(attempt, outcome, cancellationToken);
        }

        MigrationErrors.ThrowUnlessDone(outcome, attempt);
        _events.Entered(MigrationState.Done);
        TimeSpan downtime = Stopwatch.GetElapsedTime(downSince);
        _hookTimes.Note(GuestAction.Pause, string.Empty, _options.Machine.TimesKey, paused + memory);
        _hookTimes.Note(GuestAction.Resume, destination, _options.Resume, timed.Resume);
        await EndQuietlyAsync(switchover.Session);
        long tailStart = Stopwatch.GetTimestamp();
        if (outcome.State == HandOverState.Pinned)
        {
            _events.Notice(TailText.Warning(missing, switchover.Rate));
            outcome = await _options.Tail!.StayAsync(cancellationToken);
            MigrationErrors.ThrowUnlessWhole(outcome, attempt);
        }

        TimeSpan tail = missing > 0 ? Stopwatch.GetElapsedTime(tailStart) : TimeSpan.Zero;
        TimeSpan fullVerify = await switchover.Rounds.AuditAsync(attempt, cancellationToken);
        if (missing == 0)
        {
            SealCeded(switchover);
        }

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
            TailBytes = missing,
            Tail = tail,
            Outcome = outcome,
        };
    }

    private TimeSpan ResumeGuess(string destination) => _options.Resume.Length == 0
        ? TimeSpan.Zero
        : _hookTimes.Of(GuestAction.Resume, destination, _options.Resume) ?? HookTimes.Guess;

    /// <summary>Pauses the machine; where its memory moves, that is copied first while it runs.</summary>
    /// <returns>Since when it stands still, and how the rounds beside it ended: to be awaited where a failure calls the attempt off.</returns>
    private async Task<(long DownSince, Task Followed)> PauseAsync(Switchover switchover, CancellationToken cancellationToken)
    {
        bool copiesMemory = _options.Machine.CopiesMemory;
        _events.Entered(copiesMemory ? MigrationState.CopyingMemory : MigrationState.Paused);
        _progress.Report(new CopyProgress(copiesMemory ? CopyPhase.Memory : CopyPhase.Hook));
        Task<long> pause = _handOver.PauseAsync(switchover.Attempt, _options.Machine, cancellationToken);
        Task followed = copiesMemory ? switchover.Rounds.FollowAsync(pause, cancellationToken) : Task.CompletedTask;
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

    /// <summary>The disks are proven: what is left of the memory follows, so that everything is at the destination before the hand-over begins.</summary>
    private async Task<TimeSpan> CompleteMemoryAsync(CancellationToken budget)
    {
        long start = Stopwatch.GetTimestamp();
        await _options.Machine.CompleteAsync(budget);
        return _options.Machine.CopiesMemory ? Stopwatch.GetElapsedTime(start) : TimeSpan.Zero;
    }

    /// <summary>What was handed over stands here as the base of the way back, and what it holds is known.</summary>
    private void SealCeded(Switchover switchover)
    {
        foreach ((ImageMigration image, string identity) in switchover.Images.Zip(switchover.Attempt.Images))
        {
            if (!ImageIdentity.IsDevice(identity))
            {
                string ceded = FileSourceImages.CededName(identity, switchover.Attempt.Epoch);
                string why = CededBase.TrySeal(
                    ceded, image.Sender.DestinationMap, new SealRequest(switchover.Attempt.Epoch, image.Root, switchover.Attempt.Id));
                if (why.Length > 0)
                {
                    _events.Notice($"{ceded} has no seal, so a migrate back hashes it: {why}");
                }
            }
        }
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
