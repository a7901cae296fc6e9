using DiskSync.Engine.Blocks;
using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

public sealed class BadStorageTests
{
    private const int K = 1024;

    [Theory]
    [InlineData(OpenFlags.None)]
    [InlineData(OpenFlags.InPlace)]
    public async Task A_destination_that_is_full_is_named_harms_nothing_and_is_gone_on_from_once_there_is_room(OpenFlags flags)
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 3 << 20);
        using SessionLab lab = new(mount.Path);
        byte[] old = SampleImage.Noise(1, 512 * K);
        await lab.PushAsync(lab.Source("old.img", old));
        byte[] content = SampleImage.Noise(2, 4 << 20);
        string image = lab.Source("a.img", content);
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
            () => lab.PushAsync(image, with: r => r with { Flags = flags, Base = BaseRequest.None }));
        Assert.Equal(FailureKind.Destination, failure.Kind);
        Assert.Contains("No space left", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Free space", failure.Advice, StringComparison.Ordinal);
        if (flags == OpenFlags.None)
        {
            lab.AssertTarget(old);
        }

        Assert.Equal(flags == OpenFlags.None, File.Exists(lab.Target("vm.img.seal")));
        Tool.Run("mount", "mount", "-o", "remount,size=32M", mount.Path);
        PushResult result = await lab.PushAsync(image, with: r => r with { Flags = flags });
        Assert.True(result.Resumed);
        lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_block_that_could_not_be_written_is_sent_again_even_where_the_image_goes_back_to_what_it_was()
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 1 << 20);
        using SessionLab lab = new(mount.Path);
        lab.Options = lab.Options with { Workers = 1, MaxBatches = 1 };

        // The first image fits because its second half is a hole; the write that fails leaves part of a block behind.
        byte[] half = [.. SampleImage.Noise(1, 512 * K), .. new byte[1024 * K]];
        byte[] full = SampleImage.Noise(1, 1536 * K);
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => lab.PushAsync(lab.Source("full.img", full)));
        Tool.Run("mount", "mount", "-o", "remount,size=32M", mount.Path);
        await lab.PushAsync(lab.Source("half.img", half));
        lab.AssertTarget(half);
    }

    [Fact]
    public async Task A_destination_that_may_only_be_read_is_refused_with_its_path()
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 1 << 20, "ro");
        using SessionLab lab = new(mount.Path);
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
            () => lab.PushAsync(lab.Source("a.img", SampleImage.Create(1, 100 * K))));
        Assert.True(failure.Kind is FailureKind.Preflight or FailureKind.Destination, failure.Message);
        Assert.Contains("Read-only file system", failure.Message, StringComparison.Ordinal);
        Assert.Contains("vm.img", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sectors_that_cannot_be_read_fail_the_push_with_their_offset_and_keep_what_was_sent()
    {
        using SessionLab lab = new();
        byte[] content = SampleImage.Noise(1, 4 << 20);
        string backing = lab.Source("backing.img", content);
        using LoopDevice disk = LoopDevice.FromFile(backing);
        await using (FileStream file = new(backing, FileMode.Open, FileAccess.Write))
        {
            file.SetLength(2 << 20);
        }

        // Several workers meet the bad half at once, and whichever is told first, the first bad sector is named.
        lab.Options = lab.Options with { Workers = 4, MaxBatches = 8 };
        for (int run = 0; run < 12; run++)
        {
            DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
                () => lab.PushAsync(disk.Path, with: r => r with { Flags = OpenFlags.Fresh }));
            ImageIOException io = Assert.IsType<ImageIOException>(failure);
            Assert.Equal(FailureKind.Source, io.Kind);
            Assert.Equal(2 << 20, io.Offset);
            Assert.Contains(disk.Path, io.Message, StringComparison.Ordinal);
            Assert.False(File.Exists(lab.Target()));
            Assert.True(File.Exists(lab.Target("vm.img.partial")));
            Assert.True(lab.ReceiverFailure?.Kind == FailureKind.Source, $"the receiver was told: {lab.ReceiverFailure?.Message}");
        }
    }
}
