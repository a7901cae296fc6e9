using DiskSync.Engine.Journal;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Journal;

public class DiskStateFileTests
{
    [Fact]
    public void What_is_written_is_read_again_and_gaps_are_zeros()
    {
        using TempFolder folder = new();
        using LinuxFile parent = LinuxFile.Open(folder.Path, LinuxOpen.Directory);
        string path = folder.File("state");
        using (DiskStateFile file = new(LinuxFile.Open(path, LinuxOpen.ReadWrite | LinuxOpen.Create), parent))
        {
            file.Write(10, [1, 2, 3]);
            file.Flush();
            file.SetLength(12);
            Assert.Equal(12, file.Length);
            Assert.Equal(path, file.Name);
        }

        using DiskStateFile again = new(LinuxFile.Open(path, LinuxOpen.ReadWrite), parent);
        byte[] read = new byte[20];
        Assert.Equal(12, again.Read(0, read));
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2], read[..12]);
        Assert.Equal(0, again.Read(12, read));
    }

    [Fact]
    public void A_full_file_system_names_the_file_and_what_to_do()
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 1 << 20);
        using DiskStateFile file = new(LinuxFile.Open(mount.File("state"), LinuxOpen.ReadWrite | LinuxOpen.Create), null);
        DiskSyncException failure = Assert.Throws<DiskSyncException>(() => file.Write(0, new byte[2 << 20]));
        Assert.Equal(FailureKind.Destination, failure.Kind);
        Assert.Contains(mount.File("state"), failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("Free space there", failure.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_flush_is_final()
    {
        // Through the page cache of a device whose backing file cannot grow.
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 4 << 20);
        using (FileStream behind = File.Create(mount.File("disk")))
        {
            behind.SetLength(16 << 20);
        }

        using LoopDevice loop = LoopDevice.FromFile(mount.File("disk"));
        File.WriteAllBytes(mount.File("filler"), new byte[3 << 20]);
        using DiskStateFile file = new(LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite), null);
        byte[] data = new byte[4 << 20];
        new Random(1).NextBytes(data);
        file.Write(0, data);
        Assert.Throws<DiskSyncException>(file.Flush);
        File.Delete(mount.File("filler"));
        DiskSyncException second = Assert.Throws<DiskSyncException>(file.Flush);
        Assert.Contains("an earlier flush failed", second.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_temporary_file_has_no_name()
    {
        using DiskStateFile file = DiskStateFile.CreateTemporary("test");
        file.Write(0, [1]);
        file.Flush();
        Assert.False(File.Exists(file.Name));
        Assert.Equal(1, file.Length);
    }
}
