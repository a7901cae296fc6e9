namespace DiskSync.Linux.Tests;

/// <summary>Repeatable bytes.</summary>
internal static class Samples
{
    internal static byte[] Random(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
