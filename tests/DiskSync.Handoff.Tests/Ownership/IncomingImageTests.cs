using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Exports;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;
using DiskSync.Nbd.Server;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>When an export may serve an image that arrives, at every step of the hand-over; files, journal and locks are real.</summary>
public sealed class IncomingImageTests : IDisposable
{
    private const string Name = "vm.img";
    private readonly TempFolder _temp = new();
    private readonly string _state;
    private readonly RealHost _host;
    private readonly Guid _attempt = Guid.NewGuid();

    public IncomingImageTests()
    {
        Directory.CreateDirectory(_temp.File("d"));
        _state = _temp.File("state");
        _host = new RealHost(_temp.File("d"), _state);
    }

    private string Image => _host.ImageOf(Name);

    private FileOwnershipLocks Locks => new(_state);

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Every_step_before_the_seal_of_the_owned_epoch_is_refused_and_only_after_owner_is_it_worth_waiting()
    {
        using IncomingImage incoming = Incoming();
        Assert.Null(incoming.Shape());
        AssertRefused(incoming);
        await File.WriteAllTextAsync(Image + ".partial", "data");
        Assert.Equal((4, 1), incoming.Shape());
        AssertRefused(incoming);
        await PrepareAsync();
        AssertRefused(incoming);
        AssertRefused(incoming);
        _host.Destination.Commit(_attempt, 2);
        AssertSoon(incoming);
        File.Move(Image + ".partial", Image);
        AssertSoon(incoming);
        Assert.Equal((4, 1), incoming.Shape());
        await _host.Destination.FinishAsync(_attempt);
        Assert.NotNull(incoming.Look().Image);
    }

    [Fact]
    public async Task The_resume_command_is_served_while_its_receiver_holds_the_moving_lock()
    {
        await File.WriteAllTextAsync(Image + ".partial", "data");
        string looked = _temp.File("looked");
        await PrepareAsync($"touch {looked}; while ! test -e {looked}.done; do sleep 0.01; done");
        _host.Destination.Commit(_attempt, 2);
        Task<ResumeReport> finish = _host.Destination.FinishAsync(_attempt);
        while (!File.Exists(looked))
        {
            await Task.Delay(5);
        }

        Assert.Null(Locks.TryAcquire([Image], besideExports: true));
        using (IncomingImage incoming = Incoming())
        {
            IncomingStanding standing = incoming.Look();
            Assert.True(standing.Image is not null, standing.Why);
            standing.Image.Write(0, "DATA"u8);

            // A second export, whatever its kind, finds it taken.
            using IncomingImage other = Incoming();
            AssertSoon(other);
            await File.WriteAllTextAsync(looked + ".done", string.Empty);
            Assert.True((await finish).Running);
            Assert.Throws<DiskSyncException>(() => ExportRight.Acquire(Image, _host.Journal, Locks, _host.Witness));
            AssertSoon(other);
            Assert.Throws<DiskSyncException>(() => _host.Source.Begin([Image], "s", string.Empty));
        }

        Assert.Equal("DATA", await File.ReadAllTextAsync(Image));
        using SourceAttempt attempt = _host.Source.Begin([Image], "s", string.Empty);
    }

    [Fact]
    public async Task While_a_migration_away_is_under_way_an_export_that_was_never_asked_does_not_begin()
    {
        await File.WriteAllTextAsync(Image + ".partial", "data");
        await PrepareAsync();
        _host.Destination.Commit(_attempt, 2);
        await _host.Destination.FinishAsync(_attempt);
        using IncomingImage incoming = Incoming();
        using (SourceAttempt attempt = _host.Source.Begin([Image], "s", "true"))
        {
            AssertSoon(incoming);
            await _host.Source.PauseAsync(attempt, RealHost.Machine("true"), CancellationToken.None);
            AssertRefused(incoming);
        }
    }

    [Fact]
    public async Task A_killed_finish_is_done_again_beside_the_export_that_serves()
    {
        await File.WriteAllTextAsync(Image + ".partial", "data");
        await PrepareAsync();
        _host.Destination.Commit(_attempt, 2);

        // As a receiver leaves it that is killed in its resume command: names and seal are there, RUNNING is not.
        await _host.FinishImagesAsync([new(Image, 2, Blake3.Hash("data"u8))]);
        using IncomingImage incoming = Incoming();
        Assert.NotNull(incoming.Look().Image);
        (Guid attempt, ResumeReport? report, _) = Assert.Single(await _host.Destination.RecoverAtStartAsync());
        Assert.Equal(_attempt, attempt);
        Assert.True(report is { Running: true });
        Assert.Equal(AttemptState.Running, _host.Journal.Read().Last(Image)!.Kind);
    }

    [Fact]
    public async Task A_return_and_an_export_exclude_each_other()
    {
        await File.WriteAllTextAsync(Image + ".partial", "data");
        await PrepareAsync("false");
        _host.Destination.Commit(_attempt, 2);
        await _host.Destination.FinishAsync(_attempt);
        using (IncomingImage incoming = Incoming())
        {
            Assert.NotNull(incoming.Look().Image);
            await Assert.ThrowsAsync<DiskSyncException>(() => _host.Destination.ReturnAsync(Image, false, CancellationToken.None));
        }

        using IncomingImage late = Incoming();
        using (Locks.TryServe(Image))
        {
            AssertSoon(late);
        }

        Assert.Equal(AttemptState.Done, (await _host.Destination.ReturnAsync(Image, false, CancellationToken.None)).State);
        AssertRefused(late);
    }

    [Fact]
    public async Task A_request_is_held_while_the_image_is_finished_but_not_for_ever()
    {
        await File.WriteAllTextAsync(Image + ".partial", "data");
        await PrepareAsync();
        int served = 0;
        using IncomingExport export = new(Incoming(), Name, 4, 1, TimeSpan.FromMilliseconds(200), () => served++);
        byte[] buffer = new byte[4];
        Assert.Throws<NbdExportException>(() => export.Read(0, buffer));
        export.Flush();
        _host.Destination.Commit(_attempt, 2);
        Assert.Throws<NbdExportException>(() => export.Write(0, buffer));
        Task read = Task.Run(() =>
        {
            // Each try is held, so that few are needed.
            for (int i = 0; i < 50 && served == 0; i++)
            {
                try
                {
                    export.Read(0, buffer);
                }
                catch (NbdExportException)
                {
                    // Not yet.
                }
            }
        });
        await Task.Delay(20);
        await _host.Destination.FinishAsync(_attempt);
        await read;
        Assert.Equal("data"u8.ToArray(), buffer);
        Assert.Equal(1, served);
    }

    [Fact]
    public async Task A_damaged_journal_serves_nothing()
    {
        await File.WriteAllTextAsync(Image + ".partial", "data");
        await PrepareAsync();
        using IncomingImage incoming = Incoming();
        AssertRefused(incoming);
        await File.WriteAllTextAsync(_host.Journal.Path, "nonsense that is no database");
        AssertRefused(incoming);
    }

    [Fact]
    public async Task The_journals_stamp_moves_with_every_record()
    {
        Assert.Equal(string.Empty, _host.Journal.Stamp());
        await File.WriteAllTextAsync(Image + ".partial", "data");
        await PrepareAsync();
        string? before = _host.Journal.Stamp();
        Assert.NotNull(before);
        Assert.Equal(before, _host.Journal.Stamp());
        _ = _host.Journal.Read();
        Assert.Equal(before, _host.Journal.Stamp());
        _host.Destination.Commit(_attempt, 2);
        Assert.NotEqual(before, _host.Journal.Stamp());
    }

    private IncomingImage Incoming() => new(Image, _host.Journal, Locks, new ImagePlaces(_state), _host.Witness);

    private Task PrepareAsync(string resume = "true") => _host.Destination.PrepareAsync(
        new PrepareRequest(_attempt, 2, [(Image, Blake3.Hash("data"u8))], resume, "s"), CancellationToken.None);

    private static void AssertRefused(IncomingImage incoming)
    {
        IncomingStanding standing = incoming.Look();
        Assert.True(standing is { Image: null, IsSoon: false, Why.Length: > 0 }, standing.Why);
    }

    private static void AssertSoon(IncomingImage incoming)
    {
        IncomingStanding standing = incoming.Look();
        Assert.True(standing is { Image: null, IsSoon: true, Why.Length: > 0 }, standing.Why);
    }
}
