using DiskSync.Codecs;
using DiskSync.Engine.Exports.Lending;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>What an export reads in the journal when the migration that it lent its image to has gone.</summary>
public sealed class ExportedImageJudgeTests : IDisposable
{
    private static readonly Guid Attempt = new("11112222-3333-4444-5555-666677778888");
    private readonly TempFolder _temp = new();
    private readonly OwnershipParts _parts;
    private readonly string _image;
    private readonly ExportedImageJudge _judge;

    public ExportedImageJudgeTests()
    {
        _parts = new OwnershipParts(_temp.File("state"), TimeSpan.FromSeconds(5), acceptUnfenced: true);
        _image = _temp.Write("a.img", [1]);
        _judge = new ExportedImageJudge(_image, _parts.Journal, _parts.Locks, _parts.Witness);
    }

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void An_image_that_nobody_has_handed_over_is_ours() => Assert.Equal(LendingFateKind.Ours, _judge.Judge().Kind);

    [Theory]
    [InlineData(AttemptState.Paused, LendingFateKind.Ours)]
    [InlineData(AttemptState.Ceded, LendingFateKind.Undecided)]
    [InlineData(AttemptState.Done, LendingFateKind.Gone)]
    public void Only_records_take_it_away(AttemptState last, LendingFateKind fate)
    {
        Append(AttemptState.Owner, 1, Guid.Empty);
        AttemptState[] order = [AttemptState.Paused, AttemptState.Ceded, AttemptState.Done];
        foreach (AttemptState state in order[..(Array.IndexOf(order, last) + 1)])
        {
            Append(state, 2, Attempt);
        }

        LendingFate judged = _judge.Judge();
        Assert.Equal(fate, judged.Kind);
        if (fate != LendingFateKind.Ours)
        {
            Assert.Contains("host2", judged.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_was_taken_back_is_ours_again()
    {
        Append(AttemptState.Owner, 1, Guid.Empty);
        Append(AttemptState.Paused, 2, Attempt);
        Append(AttemptState.Ceded, 2, Attempt);
        Assert.Equal(LendingFateKind.Undecided, _judge.Judge().Kind);
        Append(AttemptState.Owner, 3, Attempt);
        Assert.Equal(LendingFateKind.Ours, _judge.Judge().Kind);
    }

    [Fact]
    public void While_the_borrower_lives_nothing_is_decided()
    {
        Append(AttemptState.Owner, 1, Guid.Empty);
        using (_parts.Locks.TryAcquire([_image], besideExports: true))
        {
            Assert.Equal(LendingFateKind.Undecided, _judge.Judge().Kind);
        }

        Assert.Equal(LendingFateKind.Ours, _judge.Judge().Kind);
    }

    private void Append(AttemptState state, ulong epoch, Guid attempt) => _parts.Journal.Append(_ =>
        [new OwnershipEntry(_image, attempt, epoch, state, Hash256.Unknown, DateTimeOffset.UnixEpoch, "host2", string.Empty, [_image])]);
}
