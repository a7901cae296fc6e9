using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>What the demo's pause hook rests on: which bytes a mounted image's file has, and when.</summary>
public sealed class FrozenGuestTests
{
    [Fact]
    public void An_image_file_mounted_through_a_loop_device_is_complete_and_clean_once_its_file_system_is_frozen()
    {
        using ScratchMount guest = ScratchMount.Create(FileSystemKind.Ext4, 128 << 20);
        string image = guest.Device!.BackingFile;
        byte[] written = new byte[8 << 20];
        new Random(3).NextBytes(written);
        File.WriteAllBytes(guest.File("data"), written);

        // Written back or not, the kernel decides; frozen, there is nothing left to decide.
        Tool.Run("util-linux", "fsfreeze", "--freeze", guest.Path);
        try
        {
            Tool.Run("e2fsprogs", "e2fsck", "-fn", image);
            using var folder = new TempFolder();
            string dump = folder.File("data");
            Tool.Run("e2fsprogs", "debugfs", "-R", $"dump /data {dump}", image);
            Assert.True(File.ReadAllBytes(dump).AsSpan().SequenceEqual(written));
        }
        finally
        {
            Tool.Run("util-linux", "fsfreeze", "--unfreeze", guest.Path);
        }
    }
}
