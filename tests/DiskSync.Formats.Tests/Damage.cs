using System.Buffers.Binary;

namespace DiskSync.Formats.Tests;

/// <summary>The damage that every file format must notice.</summary>
internal static class Damage
{
    /// <summary>Requires that a file cut off at any byte, or with a byte too many, is refused.</summary>
    public static void CutAnywhere(byte[] file, Action<byte[]> read)
    {
        read(file);
        for (int length = 0; length < file.Length; length++)
        {
            Refused(file[..length], read, $"cut off at {length}");
        }

        Refused([.. file, 0], read, "a byte too many");
    }

    /// <summary>Requires that a file with any single bit flipped is refused.</summary>
    public static void FlipAnywhere(byte[] file, Action<byte[]> read)
    {
        for (int bit = 0; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            Refused(file, read, $"bit {bit} flipped");
            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        read(file);
    }

    /// <summary>Requires that another version is refused by its number.</summary>
    public static void OtherVersion(byte[] file, int versionAt, Action<byte[]> read)
    {
        byte[] other = (byte[])file.Clone();
        BinaryPrimitives.WriteUInt16LittleEndian(other.AsSpan(versionAt), 77);
        FormatViolationException e = Assert.Throws<FormatViolationException>(() => read(other));
        Assert.Contains("version 77", e.Message, StringComparison.Ordinal);
    }

    private static void Refused(byte[] file, Action<byte[]> read, string how)
    {
        try
        {
            read(file);
        }
        catch (FormatViolationException)
        {
            return;
        }

        Assert.Fail($"{how}, and nobody noticed");
    }
}
