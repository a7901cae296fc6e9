namespace DiskSync.Codecs.Tests;

/// <summary>One line of Data/blake3-vectors.txt: the official test vectors.</summary>
internal sealed record Blake3Vector(int Length, byte[] Hash, byte[] KeyedHash, byte[] DeriveKey)
{
    public const string Context = "BLAKE3 2019-12-27 16:29:52 test vectors context";

    public static ReadOnlySpan<byte> Key => "whats the Elvish word for friend"u8;

    public static IReadOnlyList<Blake3Vector> All { get; } = Read();

    /// <summary>The input of all vectors: the bytes 0 to 250, repeated.</summary>
    public static byte[] Input(int length)
    {
        byte[] input = new byte[length];
        for (int i = 0; i < length; i++)
        {
            input[i] = (byte)(i % 251);
        }

        return input;
    }

    private static List<Blake3Vector> Read()
    {
        using Stream stream = typeof(Blake3Vector).Assembly.GetManifestResourceStream("blake3-vectors.txt")!;
        using StreamReader reader = new(stream);
        List<Blake3Vector> vectors = [];
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
            {
                string[] parts = line.Split(' ');
                vectors.Add(new Blake3Vector(
                    int.Parse(parts[0]),
                    Convert.FromHexString(parts[1]),
                    Convert.FromHexString(parts[2]),
                    Convert.FromHexString(parts[3])));
            }
        }

        return vectors;
    }
}
