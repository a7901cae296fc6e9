namespace DiskSync.TestSupport;

/// <summary>Contents of images like real ones: data, zeros, text that compresses, and repetitions.</summary>
public static class SampleImage
{
    private const int Piece = 4096;

    /// <summary>Makes a content.</summary>
    /// <param name="seed">Equal seeds give equal contents.</param>
    /// <param name="length">Bytes.</param>
    public static byte[] Create(int seed, int length)
    {
        Random random = new(seed);
        byte[] content = new byte[length];
        byte[] repeated = new byte[Piece];
        random.NextBytes(repeated);
        for (int at = 0; at < length; at += Piece)
        {
            Span<byte> piece = content.AsSpan(at, Math.Min(Piece, length - at));
            switch (random.Next(5))
            {
                case 0 or 1:
                    random.NextBytes(piece);
                    break;
                case 2:
                    piece.Fill((byte)random.Next(1, 256));
                    break;
                case 3:
                    repeated.AsSpan(0, piece.Length).CopyTo(piece);
                    break;
                default:
                    break;
            }
        }

        return content;
    }

    /// <summary>Makes a content that neither compresses nor repeats.</summary>
    public static byte[] Noise(int seed, int length)
    {
        byte[] content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }

    /// <summary>Writes a content as a file with holes where it is zero.</summary>
    public static void WriteSparse(string path, ReadOnlySpan<byte> content)
    {
        using FileStream file = new(path, FileMode.Create, FileAccess.Write);
        file.SetLength(content.Length);
        for (int at = 0; at < content.Length; at += Piece)
        {
            ReadOnlySpan<byte> piece = content.Slice(at, Math.Min(Piece, content.Length - at));
            if (piece.ContainsAnyExcept((byte)0))
            {
                file.Position = at;
                file.Write(piece);
            }
        }
    }
}
