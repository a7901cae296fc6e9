using DiskSync.Engine.Blocks;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Blocks;

public sealed class FileBlockDeviceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_written_is_read_again_and_is_in_the_file()
    {
        string path = _folder.Write("disk", new byte[100_001]);
        byte[] data = Random(5000, 1);
        using (IBlockDevice image = BlockDevices.OpenTarget(path))
        {
            Assert.Equal(100_001, image.Length);
            Assert.Equal(1, image.Alignment);
            Assert.Equal(path, image.Name);
            image.Write(95_001, data);
            image.Flush();
            byte[] read = new byte[5000];
            image.Read(95_001, read);
            Assert.Equal(data, read);
        }

        Assert.Equal(data, File.ReadAllBytes(path).AsSpan(95_001).ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_zeroed_range_reads_as_zeros_and_only_that(bool punch)
    {
        byte[] content = Random(1 << 20, 2);
        string path = _folder.Write("disk", content);
        using (IBlockDevice image = BlockDevices.OpenTarget(path))
        {
            image.Zero(65_536 + 100, 300_000, punch);
            image.Flush();
        }

        Array.Clear(content, 65_536 + 100, 300_000);
        Assert.Equal(content, File.ReadAllBytes(path));
    }

    [Fact]
    public void The_next_data_is_where_the_first_extent_of_data_of_the_range_is()
    {
        string path = _folder.Write("disk", []);
        using FileBlockDevice image = (FileBlockDevice)BlockDevices.OpenTarget(path);
        image.SetLength(8 << 20);
        image.Write(1 << 20, Random(1 << 20, 3));
        image.Flush();

        Assert.Equal(1 << 20, image.NextData(0, image.Length));
        Assert.Equal((1 << 20) + 5000, image.NextData((1 << 20) + 5000, 1 << 20));
        Assert.Null(image.NextData(0, 1 << 20));
        Assert.Null(image.NextData(3 << 20, 5 << 20));
        Assert.Null(image.NextData(1 << 20, 0));
    }

    [Fact]
    public void Extents_cover_the_range_without_gaps_and_name_the_holes()
    {
        string path = _folder.Write("disk", []);
        using FileBlockDevice image = (FileBlockDevice)BlockDevices.OpenTarget(path);
        image.SetLength(8 << 20);
        image.Write(1 << 20, Random(1 << 20, 3));
        image.Write(5 << 20, Random(4096, 4));
        image.Flush();
        Extent[] extents = [.. image.Extents(0, image.Length)];
        long at = 0;
        foreach (Extent extent in extents)
        {
            Assert.Equal(at, extent.Offset);
            at = extent.End;
        }

        Assert.Equal(8 << 20, at);
        Assert.Contains(extents, e => e.Kind == ExtentKind.Hole && e.Offset == 0 && e.Length == 1 << 20);
        Assert.Contains(extents, e => e.Kind == ExtentKind.Data && e.Offset == 1 << 20 && e.Length == 1 << 20);
    }

    [Fact]
    public void An_image_that_has_become_shorter_says_where_it_ends()
    {
        string path = _folder.Write("disk", new byte[100_000]);
        using IBlockDevice image = BlockDevices.OpenSource(path);
        using (FileStream file = File.OpenWrite(path))
        {
            file.SetLength(70_000);
        }

        ImageIOException failure = Assert.Throws<ImageIOException>(() => image.Read(65_536, new byte[10_000]));
        Assert.Equal(70_000, failure.Offset);
        Assert.Equal(FailureKind.Source, failure.Kind);
        Assert.StartsWith($"source {path}: cannot read at offset 70000: the image ends there", failure.Message, StringComparison.Ordinal);
        Assert.Equal(70_000, image.CurrentLength());
        Assert.Equal(100_000, image.Length);
    }

    [Fact]
    public void A_full_file_system_says_so_and_where()
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 1 << 20);
        string path = mount.File("disk");
        File.WriteAllBytes(path, []);
        using FileBlockDevice image = (FileBlockDevice)BlockDevices.OpenTarget(path);
        image.SetLength(8 << 20);
        ImageIOException failure = Assert.Throws<ImageIOException>(() => image.Write(0, Random(2 << 20, 5)));
        Assert.Equal(1 << 20, failure.Offset);
        Assert.Equal(FailureKind.Destination, failure.Kind);
        Assert.Contains("ENOSPC", failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("Free space there", failure.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_another_user_is_refused_with_who_and_which()
    {
        string path = _folder.Write("secret", [1]);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        DiskSyncException failure = Assert.Throws<DiskSyncException>(
            () => AsNobody.Run(() => BlockDevices.OpenSource(path).Dispose()));
        Assert.Equal(FailureKind.Source, failure.Kind);
        Assert.Equal($"source open {path}: Permission denied (EACCES), as user nobody", failure.Message);
        Assert.Contains("access", failure.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        DiskSyncException failure = Assert.Throws<DiskSyncException>(() => BlockDevices.OpenSource(_folder.File("none")));
        Assert.Equal(FailureKind.Source, failure.Kind);
        Assert.Contains(_folder.File("none"), failure.Message, StringComparison.Ordinal);
        Assert.Equal(FailureKind.Destination, Assert.Throws<DiskSyncException>(
            () => BlockDevices.OpenTarget(_folder.File("none"))).Kind);
    }

    [Fact]
    public void A_folder_is_no_image()
    {
        DiskSyncException failure = Assert.Throws<DiskSyncException>(() => BlockDevices.OpenSource(_folder.Path));
        Assert.Contains("folder", failure.Message, StringComparison.Ordinal);
    }

    private static byte[] Random(int length, int seed)
    {
        byte[] data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }
}
