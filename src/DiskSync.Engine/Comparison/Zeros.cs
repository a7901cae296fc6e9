namespace DiskSync.Engine.Comparison;

/// <summary>Looks for anything but zeros.</summary>
internal static class Zeros
{
    /// <summary>Whether every byte is zero; vectorised by the runtime.</summary>
    public static bool Only(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyExcept((byte)0) < 0;
}
