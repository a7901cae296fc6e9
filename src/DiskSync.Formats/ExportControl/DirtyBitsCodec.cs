namespace DiskSync.Formats.ExportControl;

/// <summary>Dirty bits as bytes: as runs where they are few, else as they are (FORMAT.md).</summary>
internal static class DirtyBitsCodec
{
    private const int Bits = DirtyBits.WordCount * 64;
    private const int MostRuns = 1023;

    public static void Write(DirtyBits bits, FieldWriter writer)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bits.Words.Length, DirtyBits.WordCount, nameof(bits));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(bits.Chunk, DirtyBits.MaxChunks, nameof(bits));
        List<(int First, int Count)> runs = [.. BitWords.Runs(bits.Words)];
        if (runs.Count == 0)
        {
            throw new ArgumentException("a chunk without dirty bits is not sent", nameof(bits));
        }

        writer.UInt32(bits.Chunk);
        if (runs.Count > MostRuns)
        {
            writer.UInt16(0);
            foreach (ulong word in bits.Words)
            {
                writer.UInt64(word);
            }

            return;
        }

        writer.UInt16((ushort)runs.Count);
        foreach ((int first, int count) in runs)
        {
            writer.UInt16((ushort)first);
            writer.UInt16((ushort)(count - 1));
        }
    }

    public static DirtyBits Read(ref FieldReader reader)
    {
        uint chunk = reader.UInt32("chunk", 0, DirtyBits.MaxChunks - 1);
        ulong[] words = new ulong[DirtyBits.WordCount];
        int runs = reader.UInt16("runs");
        if (runs == 0)
        {
            for (int i = 0; i < words.Length; i++)
            {
                words[i] = reader.UInt64("words");
            }

            // One form for each content, so that what is accepted is what the encoder writes.
            return BitWords.Runs(words).Count() > MostRuns ? new DirtyBits(chunk, words) : throw reader.Violation("a bitmap of few runs", "runs");
        }

        if (runs > MostRuns)
        {
            throw reader.Violation($"{runs} runs", $"at most {MostRuns}", sizeof(ushort));
        }

        int next = 0;
        for (int i = 0; i < runs; i++)
        {
            int first = reader.UInt16("run's first");
            int count = reader.UInt16("run's count") + 1;
            if (first < next || (i > 0 && first == next) || first + count > Bits)
            {
                throw reader.Violation($"a run of {count} at {first}", $"runs in order and apart, within {Bits}", 4);
            }

            BitWords.Set(words, first, first + count);
            next = first + count;
        }

        return new DirtyBits(chunk, words);
    }
}
