using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Replication;
using DiskSync.Formats.BlockMap;
using DiskSync.TestSupport.PowerCuts;
using Microsoft.Extensions.Logging.Abstractions;

namespace DiskSync.Engine.Tests.Replication;

public sealed class EarlyReaderTests : IDisposable
{
    private static readonly BlockGeometry Geometry = new(256L * 4096, 4096);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly SimulatedImage _image;
    private readonly TargetStore _store;
    private volatile bool _isBusy;

    public EarlyReaderTests()
    {
        SimulatedMedium medium = new(3);
        _image = medium.CreateImage("image", Geometry.Length);
        SimulatedJournalPlace place = new(medium);
        TransferJournal journal = TransferJournal.Create(place, Geometry, unstoredIsZero: true, proven: true, fence: 0);
        PagedMap map = new(Geometry, medium.CreateStateFile("map").Open(), defaultIsZero: true);
        _store = new TargetStore(_image.Open(), map, journal, [], [], mapIsCurrent: false);
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task What_is_durable_is_read_back_as_soon_as_nothing_is_being_written()
    {
        using EarlyReader reader = new(_store, () => _isBusy, NullLogger.Instance);
        _isBusy = true;
        WriteDurably(5);
        reader.Wake();
        await Task.Delay(100);
        Assert.Equal(1, _store.UnreadBlocks);
        _isBusy = false;
        await UntilAllIsReadAsync();

        WriteDurably(6);
        reader.Wake();
        await UntilAllIsReadAsync();
    }

    [Fact]
    public void It_ends_while_it_waits_for_a_checkpoint_and_while_somebody_writes()
    {
        using (EarlyReader idle = new(_store, () => _isBusy, NullLogger.Instance))
        {
            idle.Wake();
        }

        _isBusy = true;
        using (EarlyReader busy = new(_store, () => _isBusy, NullLogger.Instance))
        {
            busy.Wake();
        }
    }

    [Fact]
    public void Disposing_waits_for_the_stretch_that_is_being_read()
    {
        using ManualResetEventSlim reading = new();
        bool isRead = false;
        _image.WhenReadPastCache = () =>
        {
            reading.Set();
            Thread.Sleep(100);
            isRead = true;
        };
        WriteDurably(5);
        using (EarlyReader reader = new(_store, () => _isBusy, NullLogger.Instance))
        {
            reader.Wake();
            Assert.True(reading.Wait(Patience));
        }

        Assert.True(isRead);
    }

    private void WriteDurably(long block)
    {
        byte[] content = new byte[Geometry.Granularity];
        new Random((int)block).NextBytes(content);
        _store.Write(block, content, [Blake3.Hash(content)]);
        _store.Checkpoint();
    }

    private async Task UntilAllIsReadAsync()
    {
        using CancellationTokenSource patience = new(Patience);
        while (_store.UnreadBlocks > 0)
        {
            await Task.Delay(5, patience.Token);
        }
    }
}
