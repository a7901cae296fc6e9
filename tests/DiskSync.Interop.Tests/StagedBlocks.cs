namespace DiskSync.Interop.Tests;

/// <summary>How much of an image another file lacks.</summary>
internal static class StagedBlocks
{
    private const int Piece = 4096;

    /// <summary>The bytes of the image's 4 KiB pieces that hold data which is not at the same place of the other file.</summary>
    /// <param name="image">The image.</param>
    /// <param name="other">The other file; where there is none, everything is lacking.</param>
    public static long Lacking(string image, string other)
    {
        using FileStream source = File.OpenRead(image);
        using Stream held = File.Exists(other) ? File.OpenRead(other) : new MemoryStream();
        byte[] wanted = new byte[Piece];
        byte[] found = new byte[Piece];
        long lacking = 0;
        for (int length; (length = source.ReadAtLeast(wanted, Piece, throwOnEndOfStream: false)) > 0;)
        {
            int there = held.ReadAtLeast(found, Piece, throwOnEndOfStream: false);
            bool same = there >= length && wanted.AsSpan(0, length).SequenceEqual(found.AsSpan(0, length));
            if (!same && wanted.AsSpan(0, length).ContainsAnyExcept((byte)0))
            {
                lacking += length;
            }
        }

        return lacking;
    }
}
