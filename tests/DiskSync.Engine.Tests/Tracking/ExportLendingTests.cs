using System.Net.Sockets;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Exports.Lending;
using DiskSync.Engine.Tracking;
using DiskSync.Formats.BlockMap;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Tracking;

/// <summary>An export lends its image over a real socket, and finds out afterwards whose it is.</summary>
public sealed class ExportLendingTests : IDisposable
{
    private const int Length = 8 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly TempFolder _folder = new();
    private readonly WriteTracker _tracker = new();
    private readonly IBlockDevice _file;
    private readonly TrackedDevice _image;
    private readonly DirtyMap _since = new(Length);
    private readonly SetJudge _judge = new();
    private readonly List<string> _told = [];
    private int _gone;
    private readonly BlockGeometry _geometry = new(Length, 65536);
    private readonly string _path;
    private readonly ExportLending _lending;

    public ExportLendingTests()
    {
        _path = _folder.Write("image", new byte[Length]);
        _file = ExportedImageOf(_path);
        _image = new TrackedDevice(_file, _tracker);
        _tracker.Attach(_since);
        _lending = ExportLending.Start(
            new LendableImage(_path, Length, _tracker, new TrackingBaseline(Blake3.Hash([1]), 3, _since)),
            _folder.File("exports/s"),
            _judge,
            text =>
            {
                lock (_told)
                {
                    _told.Add(text);
                }
            },
            () => Interlocked.Increment(ref _gone));
    }

    public void Dispose()
    {
        _lending.Dispose();
        _tracker.Dispose();
        _file.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_borrower_hears_once_of_everything_that_was_written()
    {
        _image.Write(0, new byte[4096]);
        using BorrowedImage borrowed = Borrow();
        Assert.Equal(Blake3.Hash([1]), borrowed.Baseline);
        DirtyBitmap bitmap = new(_geometry.BlockCount);
        Assert.Equal(0, borrowed.TakeInto(bitmap, _geometry));
        _image.Write(65536, new byte[100]);
        _image.Zero(131072, 65536, punch: true);
        Assert.True(_image.TryZeroFast(3 * 65536, 4096, punch: false));
        _image.Discard(4 * 65536, 4096);
        Assert.Equal(4096 + 65536 + 4096 + 4096, borrowed.DirtyBytes());
        Assert.Equal(4096 + 65536 + 4096 + 4096, borrowed.TakeInto(bitmap, _geometry));
        Assert.Equal([1, 2, 3, 4], Dirty(bitmap));
        Assert.Equal(0, borrowed.TakeInto(bitmap, _geometry));
        DirtyBitmap all = new(_geometry.BlockCount);
        borrowed.SinceBaselineInto(all, _geometry);
        Assert.Equal([0, 1, 2, 3, 4], Dirty(all));
        Assert.Equal(5, LatencyHistogram.Count(new long[128], borrowed.Load().Latencies));
    }

    [Fact]
    public void A_write_that_fails_is_marked_all_the_same()
    {
        using BorrowedImage borrowed = Borrow();
        string link = _folder.File("full");
        File.CreateSymbolicLink(link, "/dev/full");
        TrackedDevice failing = new(new FailingDevice(_file), _tracker);
        Assert.Throws<ImageIOException>(() => failing.Write(65536, new byte[4096]));
        Assert.Throws<ImageIOException>(() => failing.Zero(131072, 4096, punch: false));
        DirtyBitmap bitmap = new(_geometry.BlockCount);
        borrowed.TakeInto(bitmap, _geometry);
        Assert.Equal([1, 2], Dirty(bitmap));
    }

    [Fact]
    public async Task A_fence_holds_writes_and_they_go_on_when_it_is_released()
    {
        using BorrowedImage borrowed = Borrow();
        borrowed.Fence(Patience);
        Task write = Task.Run(() => _image.Write(0, [7]));
        await UntilAsync(() => _tracker.Gate.Held == 1);
        DirtyBitmap bitmap = new(_geometry.BlockCount);
        Assert.Equal(0, borrowed.TakeInto(bitmap, _geometry));
        borrowed.Release();
        await write.WaitAsync(Patience);
        Assert.Equal(4096, borrowed.TakeInto(bitmap, _geometry));
    }

    [Fact]
    public async Task A_fence_that_cannot_drain_is_taken_away_and_said()
    {
        using BorrowedImage borrowed = Borrow();
        _tracker.Gate.Enter();
        DiskSyncException failure = Assert.Throws<DiskSyncException>(() => borrowed.Fence(TimeSpan.FromMilliseconds(30)));
        Assert.Contains(_path, failure.Message, StringComparison.Ordinal);
        await Task.Run(() => _image.Write(0, [7])).WaitAsync(Patience);
        _tracker.Gate.Leave();
    }

    [Fact]
    public async Task After_a_borrower_that_died_writes_wait_until_it_is_known_whose_the_image_is()
    {
        _judge.Fate = new LendingFate(LendingFateKind.Undecided, "nobody knows");
        BorrowedImage borrowed = Borrow();
        borrowed.Fence(Patience);
        Task write = Task.Run(() => _image.Write(0, [7]));
        borrowed.Dispose();
        await UntilAsync(() => Told().Any(t => t.Contains("nobody knows", StringComparison.Ordinal)));
        Assert.False(write.IsCompleted);
        DiskSyncException busy = Assert.Throws<DiskSyncException>(() => Borrow());
        Assert.Contains("is lent to another", busy.Message, StringComparison.Ordinal);

        _judge.Fate = new LendingFate(LendingFateKind.Ours, string.Empty);
        await write.WaitAsync(Patience);
        await UntilAsync(() => Told().Any(t => t.Contains("writes go on", StringComparison.Ordinal)));
        using BorrowedImage again = Borrow();
        again.Fence(Patience);
    }

    [Fact]
    public async Task What_became_another_hosts_is_never_written_again()
    {
        BorrowedImage borrowed = Borrow();
        borrowed.Fence(Patience);
        Task write = Task.Run(() => _image.Write(0, [7]));
        await UntilAsync(() => _tracker.Gate.Held == 1);
        _judge.Fate = new LendingFate(LendingFateKind.Gone, "handed over to b");
        borrowed.Dispose();
        ImageIOException held = await Assert.ThrowsAsync<ImageIOException>(() => write.WaitAsync(Patience));
        Assert.Contains("handed over to b", held.Message, StringComparison.Ordinal);
        Assert.Throws<ImageIOException>(() => _image.Zero(0, 4096, punch: false));
        Assert.Throws<ImageIOException>(() => _image.Discard(0, 4096));
        byte[] read = new byte[1];
        _image.Read(0, read);
        Assert.Equal(0, read[0]);
        await UntilAsync(() => Volatile.Read(ref _gone) == 1);

        // It may come back, and another export serve it.
        Assert.False(File.Exists(_folder.File("exports/s")));
        Assert.Null(BorrowedImage.TryBorrow(_folder.File("exports/s"), _path, Length, "a test"));
    }

    [Fact]
    public async Task An_export_that_is_stopped_before_anybody_knows_writes_nothing_that_was_held()
    {
        _judge.Fate = new LendingFate(LendingFateKind.Undecided, string.Empty);
        using BorrowedImage borrowed = Borrow();
        borrowed.Fence(Patience);
        Task write = Task.Run(() => _image.Write(0, [7]));
        await UntilAsync(() => _tracker.Gate.Held == 1);
        _lending.Dispose();
        await Assert.ThrowsAsync<ImageIOException>(() => write.WaitAsync(Patience));
        Assert.Throws<DiskSyncException>(() => borrowed.Release());
        Assert.NotEmpty(borrowed.Broken);
    }

    [Fact]
    public void Slowed_writes_are_let_go_when_the_borrower_has_gone()
    {
        BorrowedImage borrowed = Borrow();
        borrowed.Slow(1 << 20, TimeSpan.FromSeconds(1));
        Assert.Equal(1 << 20, _tracker.Brake.Rate);
        borrowed.Dispose();
        Assert.True(SpinWait.SpinUntil(() => double.IsInfinity(_tracker.Brake.Rate), Patience));
    }

    [Fact]
    public void Whoever_talks_nonsense_or_nothing_keeps_nobody_from_borrowing()
    {
        using Socket silent = Connect();
        using Socket nonsense = Connect();
        nonsense.Send([0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
        using Socket early = Connect();
        early.Send([0, 0, 0, 0, 8]);
        using BorrowedImage borrowed = Borrow();
        borrowed.Fence(Patience);
    }

    [Fact]
    public void Where_no_export_is_nobody_lends()
    {
        Assert.Null(BorrowedImage.TryBorrow(_folder.File("exports/none"), _path, Length, "test"));
        DiskSyncException other = Assert.Throws<DiskSyncException>(
            () => BorrowedImage.TryBorrow(_folder.File("exports/s"), _path, Length + 1, "test"));
        Assert.Contains($"{Length + 1} bytes", other.Message, StringComparison.Ordinal);
    }

    private static List<long> Dirty(DirtyBitmap bitmap) =>
        [.. Enumerable.Range(0, (int)bitmap.BlockCount).Select(b => (long)b).Where(bitmap.IsDirty)];

    private static IBlockDevice ExportedImageOf(string path) => Engine.Exports.ExportedImage.Open(path);

    private static async Task UntilAsync(Func<bool> condition)
    {
        long start = Environment.TickCount64;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 - start < Patience.TotalMilliseconds, "waited for too long");
            await Task.Delay(10);
        }
    }

    private List<string> Told()
    {
        lock (_told)
        {
            return [.. _told];
        }
    }

    private BorrowedImage Borrow() => BorrowedImage.TryBorrow(_folder.File("exports/s"), _path, Length, "the test")!;

    private Socket Connect()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(_folder.File("exports/s")));
        return socket;
    }

    private sealed class SetJudge : ILendingJudge
    {
        public LendingFate Fate { get; set; } = new(LendingFateKind.Ours, string.Empty);

        public LendingFate Judge() => Fate;
    }
}
