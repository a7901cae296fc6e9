using System.Numerics;

namespace DiskSync.Formats;

/// <summary>Bits in words of 64, the lowest bit of the first word first.</summary>
/// <remarks>Thread safe as far as the words are; whoever shares them between threads reads and writes each word by himself, by <see cref="MaskOf"/>.</remarks>
public static class BitWords
{
    /// <summary>The bits of a range that stand in the word of its first bit.</summary>
    /// <param name="bit">The first bit of the range.</param>
    /// <param name="end">The bit after its last, above <paramref name="bit"/>.</param>
    /// <returns>The mask for word <c>bit / 64</c>; the range goes on at <see cref="NextWord"/>.</returns>
    public static ulong MaskOf(int bit, int end)
    {
        int inWord = Math.Min(64 - (bit & 63), end - bit);
        return (inWord == 64 ? ulong.MaxValue : (1UL << inWord) - 1) << (bit & 63);
    }

    /// <summary>The first bit of the word after a bit's.</summary>
    public static int NextWord(int bit) => (bit | 63) + 1;

    /// <summary>Sets a range.</summary>
    /// <param name="words">The words.</param>
    /// <param name="bit">The first bit of the range.</param>
    /// <param name="end">The bit after its last.</param>
    public static void Set(Span<ulong> words, int bit, int end)
    {
        for (; bit < end; bit = NextWord(bit))
        {
            words[bit >> 6] |= MaskOf(bit, end);
        }
    }

    /// <summary>The first bit of a kind at or after another.</summary>
    /// <param name="words">The words.</param>
    /// <param name="bit">Where to search from.</param>
    /// <param name="limit">Where to stop; at most the bits of the words.</param>
    /// <param name="isSet">Whether a set one is wanted, or a clear one.</param>
    /// <returns>The limit where there is none before it.</returns>
    public static int Next(ReadOnlySpan<ulong> words, int bit, int limit, bool isSet)
    {
        for (; bit < limit; bit = NextWord(bit))
        {
            ulong word = (isSet ? words[bit >> 6] : ~words[bit >> 6]) >> (bit & 63);
            if (word != 0)
            {
                return Math.Min(limit, bit + BitOperations.TrailingZeroCount(word));
            }
        }

        return limit;
    }

    /// <summary>The runs of set bits, in order.</summary>
    public static IEnumerable<(int First, int Count)> Runs(ulong[] words)
    {
        ArgumentNullException.ThrowIfNull(words);
        int limit = words.Length * 64;
        int first = Next(words, 0, limit, isSet: true);
        while (first < limit)
        {
            int end = Next(words, first, limit, isSet: false);
            yield return (first, end - first);
            first = Next(words, end, limit, isSet: true);
        }
    }
}
