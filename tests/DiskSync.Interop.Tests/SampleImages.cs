namespace DiskSync.Interop.Tests;

/// <summary>Images with every kind of block: noise, text that compresses, zeros that were written, holes, a short last block.</summary>
internal static class SampleImages
{
    /// <summary>How long the image is.</summary>
    public const int Length = (24 << 20) + (5 * 512);

    /// <summary>Writes an image of 24 MiB and some sectors.</summary>
    public static void Write(string path)
    {
        var dice = new Random(7);
        using FileStream file = File.Create(path);
        byte[] megabyte = new byte[1 << 20];
        for (int i = 0; i < 8; i++)
        {
            dice.NextBytes(megabyte);
            file.Write(megabyte);
        }

        for (int i = 0; i < megabyte.Length; i++)
        {
            megabyte[i] = (byte)"a line of text, and again "[i % 26];
        }

        file.Write(megabyte);
        Array.Clear(megabyte);
        file.Write(megabyte);
        file.Seek(10 << 20, SeekOrigin.Current);
        dice.NextBytes(megabyte);
        file.Write(megabyte);
        file.SetLength(Length);
    }

    /// <summary>Changes some 4 KiB pages of the noise in an image, here and there.</summary>
    /// <returns>The bytes changed.</returns>
    public static long ChangeSome(string path, int seed, int pages)
    {
        var dice = new Random(seed);
        byte[] page = new byte[4096];
        using FileStream file = File.OpenWrite(path);
        for (int i = 0; i < pages; i++)
        {
            dice.NextBytes(page);
            file.Position = dice.Next((8 << 20) / page.Length) * (long)page.Length;
            file.Write(page);
        }

        return (long)pages * page.Length;
    }
}
