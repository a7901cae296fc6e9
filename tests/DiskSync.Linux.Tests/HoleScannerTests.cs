using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class HoleScannerTests
{
    [Theory]
    [InlineData(FileSystemKind.Tmpfs)]
    [InlineData(FileSystemKind.Ext4)]
    [InlineData(FileSystemKind.Xfs)]
    [InlineData(FileSystemKind.Btrfs)]
    public void Holes_and_data_are_found_punched_and_zeroed_on_real_file_systems(FileSystemKind kind)
    {
        using var mount = ScratchMount.Create(kind);
        using var file = LinuxFile.Open(mount.File("image"), LinuxOpen.ReadWrite | LinuxOpen.Create);
        file.SetLength(8 << 20);
        file.WriteAt(Samples.Random(1 << 20, 1), 1 << 20);
        file.WriteAt(Samples.Random(1 << 20, 2), 4 << 20);
        Assert.Equal(
            [
                new HoleRange(0, 1 << 20, IsData: false),
                new HoleRange(1 << 20, 1 << 20, IsData: true),
                new HoleRange(2 << 20, 2 << 20, IsData: false),
                new HoleRange(4 << 20, 1 << 20, IsData: true),
                new HoleRange(5 << 20, 3 << 20, IsData: false),
            ],
            HoleScanner.Scan(file, 0, 8 << 20));

        Assert.True(file.TryPunchHole(1 << 20, 1 << 19));
        Assert.Equal(
            [
                new HoleRange(100, (1 << 20) + (1 << 19) - 100, IsData: false),
                new HoleRange((1 << 20) + (1 << 19), 1000, IsData: true),
            ],
            HoleScanner.Scan(file, 100, (1 << 20) + (1 << 19) + 1000 - 100));

        bool zeroed = file.TryZeroRange(4 << 20, 1 << 20);
        Assert.Equal(kind != FileSystemKind.Tmpfs, zeroed);
        if (zeroed)
        {
            byte[] read = new byte[1 << 20];
            file.ReadExactlyAt(read, 4 << 20);
            Assert.Equal(-1, read.AsSpan().IndexOfAnyExcept((byte)0));
        }

        Assert.Equal(8 << 20, file.Length());
        Assert.True(file.TryPreallocate(8 << 20, 1 << 20));
        Assert.Equal(8 << 20, file.Length());
        Assert.True(file.TryPunchHole(0, 0));
    }

    [Fact]
    public void A_sparse_tebibyte_with_ten_thousand_extents_is_scanned_extent_by_extent()
    {
        // xfs, because ext4 files with 4 KiB blocks end at 16 TiB but its sparse scan here is no different.
        using var mount = ScratchMount.Create(FileSystemKind.Xfs);
        using var file = LinuxFile.Open(mount.File("huge"), LinuxOpen.ReadWrite | LinuxOpen.Create);
        const long Length = 1L << 40;
        const int Count = 10_000;
        const long Step = Length / Count / 4096 * 4096;
        file.SetLength(Length);
        for (int i = 0; i < Count; i++)
        {
            file.WriteAt(new byte[4096], i * Step);
        }

        long position = 0;
        int data = 0;
        foreach (HoleRange range in HoleScanner.Scan(file, 0, Length))
        {
            Assert.Equal(position, range.Offset);
            position += range.Length;
            if (range.IsData)
            {
                Assert.Equal(new HoleRange(data++ * Step, 4096, IsData: true), range);
            }
        }

        Assert.Equal(Length, position);
        Assert.Equal(Count, data);
    }

    [Fact]
    public void A_block_device_is_all_data_because_its_holes_cannot_be_told()
    {
        using var loop = LoopDevice.Create(1 << 20);
        using var file = LinuxFile.Open(loop.Path, LinuxOpen.ReadOnly);
        Assert.Equal([new HoleRange(0, 1 << 20, IsData: true)], HoleScanner.Scan(file, 0, 1 << 20));
    }

    [Fact]
    public void A_file_that_is_cut_during_the_scan_ends_in_a_hole()
    {
        using var folder = new TempFolder();
        using var file = LinuxFile.Open(folder.File("f"), LinuxOpen.ReadWrite | LinuxOpen.Create);
        file.SetLength(8 << 20);
        file.WriteAt(new byte[1 << 20], 1 << 20);
        file.WriteAt(new byte[1 << 20], 4 << 20);
        var seen = new List<HoleRange>();
        foreach (HoleRange range in HoleScanner.Scan(file, 0, 8 << 20))
        {
            seen.Add(range);
            if (seen.Count == 2)
            {
                file.SetLength(2 << 20);
            }
        }

        Assert.Equal(3, seen.Count);
        Assert.Equal(new HoleRange(2 << 20, 6 << 20, IsData: false), seen[2]);
    }

    [Fact]
    public void An_empty_file_and_an_empty_range_have_no_data()
    {
        using var folder = new TempFolder();
        using var file = LinuxFile.Open(folder.File("f"), LinuxOpen.ReadWrite | LinuxOpen.Create);
        Assert.Empty(HoleScanner.Scan(file, 0, 0));
        Assert.Equal([new HoleRange(0, 10, IsData: false)], HoleScanner.Scan(file, 0, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => HoleScanner.Scan(file, 1, long.MaxValue));
    }

    [Fact]
    public async Task Writers_and_punchers_never_make_a_scan_leave_gaps_or_hang()
    {
        using var folder = new TempFolder();
        using var file = LinuxFile.Open(folder.File("f"), LinuxOpen.ReadWrite | LinuxOpen.Create);
        const long Length = 16 << 20;
        file.SetLength(Length);
        using var stop = new CancellationTokenSource();
        Task writer = Task.Run(() =>
        {
            var random = new Random(5);
            while (!stop.IsCancellationRequested)
            {
                long at = random.Next(4096) * 4096L;
                if (random.Next(2) == 0)
                {
                    file.WriteAt(new byte[4096], at);
                }
                else
                {
                    file.TryPunchHole(at, 4096);
                }
            }
        });
        for (int i = 0; i < 30; i++)
        {
            long position = 0;
            foreach (HoleRange range in HoleScanner.Scan(file, 0, Length))
            {
                Assert.Equal(position, range.Offset);
                Assert.True(range.Length > 0);
                position += range.Length;
            }

            Assert.Equal(Length, position);
        }

        await stop.CancelAsync();
        await writer;
    }
}
