using System.Text;

namespace DiskSync.Formats.Peers;

/// <summary>The file of trusted peers: one a line, readable and editable by people. FORMAT.md is its specification.</summary>
/// <remarks>
/// Pure functions. A file with one line that is not understood is refused as a whole: what was meant to be forbidden
/// by it is not known.
/// </remarks>
public static class PeersFile
{
    /// <summary>The largest file in bytes.</summary>
    public const int MaxSize = 1 << 20;

    private const string Format = "peers file";
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Reads every entry.</summary>
    /// <exception cref="FormatViolationException">A line is not understood, or a name comes twice.</exception>
    public static IReadOnlyList<PeerEntry> Decode(ReadOnlySpan<byte> file)
    {
        List<PeerEntry> entries = [];
        HashSet<PeerName> names = [];
        foreach ((int offset, int number, string line) in Lines(file))
        {
            if (DecodeLine(line, number, offset) is { } entry)
            {
                entries.Add(names.Add(entry.Name)
                    ? entry
                    : throw Violation(number, offset, $"the name {entry.Name} a second time", "each name once"));
            }
        }

        return entries;
    }

    /// <summary>The file with one more entry at its end.</summary>
    public static byte[] With(ReadOnlySpan<byte> file, PeerEntry entry)
    {
        string separator = file.IsEmpty || file[^1] == '\n' ? string.Empty : "\n";
        return [.. file, .. Encoding.ASCII.GetBytes($"{separator}{entry.Name} {entry.Fingerprint}\n")];
    }

    /// <summary>The file without a name's entry; every other line, comments too, stays as it is.</summary>
    /// <exception cref="FormatViolationException">A line is not understood.</exception>
    public static byte[] Without(ReadOnlySpan<byte> file, PeerName name)
    {
        StringBuilder rest = new();
        foreach ((int offset, int number, string line) in Lines(file))
        {
            if (DecodeLine(line, number, offset) is not { } entry || entry.Name != name)
            {
                rest.Append(line).Append('\n');
            }
        }

        return Strict.GetBytes(rest.ToString());
    }

    private static IEnumerable<(int Offset, int Number, string Line)> Lines(ReadOnlySpan<byte> file)
    {
        if (file.Length > MaxSize)
        {
            throw new FormatViolationException(Format, MaxSize, $"{file.Length} bytes", $"at most {MaxSize}");
        }

        string text;
        try
        {
            text = Strict.GetString(file);
        }
        catch (DecoderFallbackException exception)
        {
            throw new FormatViolationException(Format, exception.Index, "a byte that is not UTF-8", "text");
        }

        return Split(text);
    }

    private static IEnumerable<(int Offset, int Number, string Line)> Split(string text)
    {
        int offset = 0;
        int number = 1;
        for (int start = 0; start < text.Length; number++)
        {
            int end = text.IndexOf('\n', start);
            string line = end < 0 ? text[start..] : text[start..end];
            yield return (offset, number, line);
            offset += Strict.GetByteCount(line) + 1;
            start += line.Length + 1;
        }
    }

    private static PeerEntry? DecodeLine(string line, int number, int offset)
    {
        string[] words = line.Split([' ', '\t'], 3, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0 || words[0].StartsWith('#'))
        {
            return null;
        }

        PeerName name = PeerName.TryParse(words[0])
            ?? throw Violation(number, offset, "no name of a host", "HOST, HOST:PORT or [ADDRESS]:PORT");
        Fingerprint fingerprint = (words.Length > 1 ? Fingerprint.TryParse(words[1]) : null)
            ?? throw Violation(number, offset, $"no fingerprint after {name}", "SHA256: and 43 characters");
        return words.Length < 3 || words[2].StartsWith('#')
            ? new PeerEntry(name, fingerprint)
            : throw Violation(number, offset, $"more than a name and a fingerprint for {name}", "an end of line, or # and a remark");
    }

    private static FormatViolationException Violation(int number, int offset, string found, string expected) =>
        new($"{Format} line {number}", offset, found, expected);
}
