using System.Diagnostics;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Formats.BlockMap;
using DiskSync.Linux;
using DiskSync.TestSupport;
using DiskSync.TestSupport.PowerCuts;

namespace DiskSync.Engine.Tests.Journal;

/// <summary>Times what a paused guest waits for, so nothing runs beside it.</summary>
[Collection(AloneTests.Name)]
public sealed class LargeTargetTests
{
    [Fact]
    public void Reading_back_an_almost_empty_terabyte_of_4_KiB_blocks_takes_seconds_and_the_second_time_next_to_nothing()
    {
        using TempFolder folder = new();
        BlockGeometry geometry = new(1L << 40, 4096);
        FileBlockDevice image = new(
            LinuxFile.Open(folder.File("image"), LinuxOpen.ReadWrite | LinuxOpen.Create), "image", Side.Destination);
        image.SetLength(geometry.Length);
        TransferJournal journal = TransferJournal.Create(
            new SimulatedJournalPlace(new SimulatedMedium(3)), geometry, unstoredIsZero: true, proven: true, fence: 0);
        journal.BeginSession(Guid.NewGuid());
        using TargetStore store = new(
            image,
            PagedMap.CreateTemporary(geometry, defaultIsZero: true),
            journal,
            journal.WithdrawnPages(),
            journal.UnreadPages(),
            mapIsCurrent: false);
        byte[] content = SampleImage.Noise(1, 4096);
        store.Write(1000, content, [Blake3.Hash(content)]);

        // The first one has a terabyte to look at. It took half a minute while each page was looked for to the image's end.
        Assert.InRange(SecondsOf(() => ReadBack(store)), 0, 10);
        store.Write(geometry.BlockCount - 5, content, [Blake3.Hash(content)]);
        Assert.InRange(SecondsOf(() => ReadBack(store)), 0, 2);
        Assert.Equal(0, store.UnreadBlocks);
    }

    private static void ReadBack(TargetStore store) => Assert.Empty(store.ReadBack((_, _) => { }, CancellationToken.None).Wrong);

    private static double SecondsOf(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
