using DiskSync.Engine.Blocks;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Blocks;

public class ImageSignatureTests
{
    [Theory]
    [InlineData("qcow2", "qcow2")]
    [InlineData("vmdk", "VMDK")]
    [InlineData("vhdx", "VHDX")]
    [InlineData("vdi", "VDI")]
    [InlineData("raw", null)]
    public void What_qemu_makes_is_recognised(string format, string? expected)
    {
        using TempFolder folder = new();
        string path = folder.File("disk");
        Tool.Run("qemu-utils", "qemu-img", "create", "-q", "-f", format, path, "1M");
        using IBlockDevice image = BlockDevices.OpenSource(path);
        Assert.Equal(expected, ImageSignature.Detect(image));
    }

    [Theory]
    [InlineData("conectix", "VHD")]
    [InlineData("# Disk DescriptorFile\n", "VMDK")]
    [InlineData("QFI", null)]
    [InlineData("KDM", null)]
    public void First_bytes_decide(string start, string? expected)
    {
        Assert.Equal(expected, ImageSignature.Detect(System.Text.Encoding.ASCII.GetBytes(start)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(100)]
    public void An_image_shorter_than_a_header_is_raw(int length)
    {
        using TempFolder folder = new();
        using IBlockDevice image = BlockDevices.OpenSource(folder.Write("tiny", new byte[length]));
        Assert.Null(ImageSignature.Detect(image));
    }

    [Fact]
    public void A_device_is_looked_into_past_the_cache()
    {
        using LoopDevice loop = LoopDevice.Create(1 << 20);
        using (FileStream file = File.OpenWrite(loop.BackingFile))
        {
            file.Write([0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 3]);
        }

        using IBlockDevice image = BlockDevices.OpenSource(loop.Path);
        Assert.Equal("qcow2", ImageSignature.Detect(image));
    }
}
