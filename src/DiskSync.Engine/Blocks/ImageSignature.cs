namespace DiskSync.Engine.Blocks;

/// <summary>Recognises images that are containers of another format, which raw tools copy without looking inside.</summary>
public static class ImageSignature
{
    private const int HeaderBytes = 4096;

    /// <summary>The format's name if the image begins like a container, else null.</summary>
    /// <param name="image">The image.</param>
    /// <exception cref="ImageIOException">The image cannot be read.</exception>
    public static string? Detect(IBlockDevice image)
    {
        using Linux.AlignedBuffer buffer = new(HeaderBytes);
        int length = (int)Math.Min(HeaderBytes, image.Length - (image.Length % image.Alignment));
        image.Read(0, buffer.Span[..length]);
        return Detect(buffer.Span[..length]);
    }

    /// <summary>The format's name if these first bytes are those of a container, else null.</summary>
    public static string? Detect(ReadOnlySpan<byte> start) => start switch
    {
        _ when start.StartsWith((ReadOnlySpan<byte>)[0x51, 0x46, 0x49, 0xFB]) => "qcow2",
        _ when start.StartsWith("KDMV"u8) || start.StartsWith("# Disk DescriptorFile"u8) => "VMDK",
        _ when start.StartsWith("vhdxfile"u8) => "VHDX",
        _ when start.StartsWith("conectix"u8) => "VHD",
        _ when start.Length >= 0x44 && start[0x40..].StartsWith((ReadOnlySpan<byte>)[0x7F, 0x10, 0xDA, 0xBE]) => "VDI",
        _ => null,
    };
}
