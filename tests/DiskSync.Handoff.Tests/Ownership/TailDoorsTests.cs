using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>What a source hears that offers to serve what an image misses, by the destination's journal alone.</summary>
public sealed class TailDoorsTests : IDisposable
{
    private const ulong Epoch = 7;
    private static readonly string[] Images = ["/far/a", "/far/b"];
    private readonly TempFolder _folder = new();
    private readonly OwnershipJournal _journal;
    private readonly TailDoors _doors;
    private readonly Guid _attempt = Guid.NewGuid();

    public TailDoorsTests()
    {
        _journal = new OwnershipJournal(_folder.File("state"));
        _doors = new TailDoors(_journal, _folder.File("state"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_image_that_misses_parts_leads_to_its_export_by_its_place_in_the_attempt()
    {
        Record(AttemptState.PreparedTail, AttemptState.OwnerIncomplete);
        TailDoor door = _doors.Find(new Serve(_attempt, Epoch, 1, ServeUse.Urgent));
        Assert.Equal(new TailDoor("/far/b", TailSocket.PathOf(_folder.File("state"), "/far/b"), null), door);
        Assert.NotEqual(door.SocketPath, _doors.Find(new Serve(_attempt, Epoch, 0, ServeUse.Urgent)).SocketPath);
    }

    [Theory]
    [InlineData(AttemptState.Running, AttemptState.OwnerIncomplete, AttemptState.RunningIncomplete, AttemptState.Running)]
    [InlineData(AttemptState.Refused, AttemptState.Refused)]
    [InlineData(AttemptState.PreparedTail)]
    public void One_that_misses_nothing_or_is_not_owned_yet_is_told_as_it_is(AttemptState told, params AttemptState[] records)
    {
        Record([AttemptState.PreparedTail, .. records]);
        TailDoor door = _doors.Find(new Serve(_attempt, Epoch, 0, ServeUse.Background));
        Assert.Equal(new AttemptStatus(_attempt, told, Epoch), door.Standing);
        Assert.Empty(door.SocketPath);
    }

    [Theory]
    [InlineData(true, Epoch, 2)]
    [InlineData(true, Epoch + 1, 0)]
    [InlineData(false, Epoch, 0)]
    public void What_the_journal_does_not_know_is_not_taken(bool isKnown, ulong epoch, ushort place)
    {
        Record(AttemptState.PreparedTail, AttemptState.OwnerIncomplete);
        DiskSyncException refusal = Assert.Throws<DiskSyncException>(
            () => _doors.Find(new Serve(isKnown ? _attempt : Guid.NewGuid(), epoch, place, ServeUse.Urgent)));
        Assert.Equal(FailureKind.OwnershipInDoubt, refusal.Kind);
        Assert.Contains("disksync owner", refusal.Advice, StringComparison.Ordinal);
    }

    private void Record(params AttemptState[] kinds)
    {
        foreach (AttemptState kind in kinds)
        {
            _journal.Append(_ =>
            [
                .. Images.Select(i => new OwnershipEntry(i, _attempt, Epoch, kind, Hash256.Unknown, DateTimeOffset.UtcNow, "source", string.Empty, Images)),
            ]);
        }
    }
}
