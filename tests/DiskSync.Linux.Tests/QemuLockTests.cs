using System.Diagnostics;
using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class QemuLockTests
{
    [Theory]
    [InlineData(false, QemuUse.Writing, "writing")]
    [InlineData(true, QemuUse.Reading, "reading")]
    public void An_image_that_a_real_QEMU_tool_has_open_is_refused(bool readOnly, QemuUse expected, string word)
    {
        using var folder = new TempFolder();
        string path = folder.Write("disk.img", new byte[1 << 20]);
        Assert.Equal(QemuUse.None, QemuLock.Find(path));
        string[] flags = readOnly ? ["-r"] : [];
        using (Process qemu = Tool.Start("qemu-utils", "qemu-io", [.. flags, "-f", "raw", path]))
        {
            // It answers only after it has opened the image.
            qemu.StandardInput.WriteLine("read 0 512");
            qemu.StandardInput.Flush();
            string? line;
            do
            {
                line = qemu.StandardOutput.ReadLine();
            }
            while (line?.Contains("read 512/512", StringComparison.Ordinal) == false);
            Assert.NotNull(line);

            Assert.Equal(expected, QemuLock.Find(path));
            Assert.True(QemuLock.IsHeld(path));
            Assert.Equal(
                [$"{path} is open in QEMU for {word} (its image lock is held)"], DestinationCheck.FindUse(path));
            qemu.StandardInput.WriteLine("quit");
            qemu.StandardInput.Close();
            qemu.WaitForExit();
        }

        Assert.False(QemuLock.IsHeld(path));
        Assert.Empty(DestinationCheck.FindUse(path));
    }
}
