using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;

namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>What every hypervisor has to do, whatever it is: with real machines.</summary>
/// <remarks>A fact names what may have happened before; what holds is that the machine runs on one side at most, and that the side that owns can let it run.</remarks>
public abstract class HypervisorConformance : IDisposable
{
    private static readonly Guid Attempt = Guid.NewGuid();
    private readonly IMachineLab _lab;

    protected HypervisorConformance(IMachineLab lab) => _lab = lab;

    public void Dispose()
    {
        _lab.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_machine_that_moves_runs_at_one_side_at_a_time_and_stays_paused_at_the_source()
    {
        await _lab.StartAsync();
        ISourceMachine source = _lab.Source;
        await source.CheckAsync(CancellationToken.None);
        await _lab.Destination.CheckAsync(CancellationToken.None);
        await AssertRunsAsync(source: true, destination: false);

        await PauseAsync(source);
        await AssertRunsAsync(source: false, destination: false);
        await source.CompleteAsync(CancellationToken.None);
        await _lab.Destination.CheckHeldAsync(CancellationToken.None);
        await AssertRunsAsync(source: false, destination: false);

        AssertDone(await _lab.Destination.ResumeAsync(Context(GuestAction.Resume)));
        await AssertRunsAsync(source: false, destination: true);
    }

    [Fact]
    public async Task A_check_changes_nothing_and_may_be_made_again()
    {
        await _lab.StartAsync();
        for (int i = 0; i < 2; i++)
        {
            await _lab.Source.CheckAsync(CancellationToken.None);
            await _lab.Destination.CheckAsync(CancellationToken.None);
            await AssertRunsAsync(source: true, destination: false);
        }
    }

    [Fact]
    public async Task A_resume_may_be_done_again_by_another_process()
    {
        await MoveAsync();
        AssertDone(await _lab.Destination.ResumeAsync(Context(GuestAction.Resume)));
        await AssertRunsAsync(source: false, destination: true);
    }

    [Theory]
    [InlineData(Phase.Checked)]
    [InlineData(Phase.Paused)]
    [InlineData(Phase.Completed)]
    [InlineData(Phase.Held)]
    public async Task Whatever_has_been_done_before_the_hand_over_a_later_process_lets_the_machine_go_on_at_the_source(Phase phase)
    {
        string record = await ReachAsync(phase);
        for (int i = 0; i < 2; i++)
        {
            AssertDone(await _lab.FromJournal(record).UnpauseAsync(Context(GuestAction.Unpause)));
            await AssertRunsAsync(source: true, destination: false);
        }
    }

    [Theory]
    [InlineData(Phase.Paused)]
    [InlineData(Phase.Completed)]
    public async Task After_it_was_called_off_the_machine_moves_at_the_next_attempt(Phase phase)
    {
        string record = await ReachAsync(phase);
        AssertDone(await _lab.FromJournal(record).UnpauseAsync(Context(GuestAction.Unpause)));
        _lab.KillDestination();
        await _lab.StartAsync();
        await MoveAsync(started: true);
    }

    [Theory]
    [InlineData(Phase.Checked)]
    [InlineData(Phase.Paused)]
    [InlineData(Phase.Completed)]
    public async Task A_machine_that_is_gone_at_the_source_is_a_failure_in_words_and_never_a_hang(Phase phase)
    {
        string record = await ReachAsync(phase);
        _lab.KillSource();
        if (phase == Phase.Checked)
        {
            MachineResult pause = await _lab.Source.PauseAsync(Context(GuestAction.Pause), CancellationToken.None);
            Assert.False(pause.Succeeded);
            Assert.NotEmpty(pause.Problem);
        }
        else if (phase == Phase.Paused && _lab.TakesMemory)
        {
            await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.Source.CompleteAsync(CancellationToken.None));
        }

        MachineResult unpause = await _lab.FromJournal(record).UnpauseAsync(Context(GuestAction.Unpause));
        Assert.False(unpause.Succeeded);
        Assert.NotEmpty(unpause.Problem);
        await AssertRunsAsync(source: false, destination: false);
    }

    [Theory]
    [InlineData(Phase.Checked)]
    [InlineData(Phase.Paused)]
    [InlineData(Phase.Completed)]
    [InlineData(Phase.Held)]
    public async Task A_destination_that_is_gone_is_found_out_before_it_could_run_and_the_machine_goes_on_at_the_source(Phase phase)
    {
        string record = await ReachAsync(phase);
        _lab.KillDestination();
        if (_lab.TakesMemory)
        {
            switch (phase)
            {
                case Phase.Checked:
                    await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.Destination.CheckAsync(CancellationToken.None));
                    Assert.False((await _lab.Source.PauseAsync(Context(GuestAction.Pause), CancellationToken.None)).Succeeded);
                    break;
                case Phase.Paused:
                    // What was left may have gone into a socket that nobody reads any more: then the destination tells.
                    await Assert.ThrowsAnyAsync<DiskSyncException>(async () =>
                    {
                        await _lab.Source.CompleteAsync(CancellationToken.None);
                        await _lab.Destination.CheckHeldAsync(CancellationToken.None);
                    });
                    break;
                case Phase.Completed:
                    await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.Destination.CheckHeldAsync(CancellationToken.None));
                    break;
            }
        }

        MachineResult resume = await _lab.Destination.ResumeAsync(Context(GuestAction.Resume));
        Assert.False(resume.Succeeded);
        Assert.NotEmpty(resume.Output);
        AssertDone(await _lab.FromJournal(record).UnpauseAsync(Context(GuestAction.Unpause)));
        await AssertRunsAsync(source: true, destination: false);
    }

    /// <summary>Where a move stands.</summary>
    public enum Phase
    {
        /// <summary>Both sides were checked.</summary>
        Checked,

        /// <summary>The machine is paused.</summary>
        Paused,

        /// <summary>Its memory is complete.</summary>
        Completed,

        /// <summary>The destination has said that it holds it.</summary>
        Held,
    }

    protected static HookContext Context(GuestAction action) => new(action, Attempt, 2, ["/images/a.img"], [Blake3.Hash("a"u8)]);

    protected static void AssertDone(MachineResult result) => Assert.True(result.Succeeded, result.Problem);

    protected static async Task PauseAsync(ISourceMachine source) =>
        AssertDone(await source.PauseAsync(Context(GuestAction.Pause), CancellationToken.None));

    protected async Task AssertRunsAsync(bool source, bool destination)
    {
        Assert.Equal(source, await _lab.RunsAtSourceAsync());
        Assert.Equal(destination, await _lab.RunsAtDestinationAsync());
    }

    private async Task MoveAsync(bool started = false)
    {
        await ReachAsync(Phase.Held, started);
        AssertDone(await _lab.Destination.ResumeAsync(Context(GuestAction.Resume)));
        await AssertRunsAsync(source: false, destination: true);
    }

    private async Task<string> ReachAsync(Phase phase, bool started = false)
    {
        if (!started)
        {
            await _lab.StartAsync();
        }

        ISourceMachine source = _lab.Source;
        await source.CheckAsync(CancellationToken.None);
        await _lab.Destination.CheckAsync(CancellationToken.None);
        if (phase >= Phase.Paused)
        {
            await PauseAsync(source);
        }

        if (phase >= Phase.Completed)
        {
            await source.CompleteAsync(CancellationToken.None);
        }

        if (phase >= Phase.Held)
        {
            await _lab.Destination.CheckHeldAsync(CancellationToken.None);
        }

        return source.Record;
    }
}
