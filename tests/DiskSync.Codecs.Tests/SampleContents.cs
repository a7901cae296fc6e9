namespace DiskSync.Codecs.Tests;

/// <summary>Contents to compress.</summary>
internal static class SampleContents
{
    /// <summary>Zeros, noise, and words as in a file of text.</summary>
    public static byte[][] Of(int length)
    {
        Random random = new(length);
        byte[] noise = new byte[length];
        random.NextBytes(noise);
        byte[] words = new byte[length];
        for (int at = 0; at < length;)
        {
            int word = random.Next(50);
            for (int i = 0; i < 3 + (word % 7) && at < length; i++)
            {
                words[at++] = (byte)('a' + ((word * (i + 3)) % 26));
            }
        }

        return [new byte[length], noise, words];
    }
}
