namespace DiskSync.Engine.Blocks;

/// <summary>Looks for anything but zeros.</summary>
public static class ZeroCheck
{
    /// <summary>Whether every byte is zero; vectorised by the runtime, and quick to find that it is not.</summary>
    public static bool IsZero(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyExcept((byte)0) < 0;
}
