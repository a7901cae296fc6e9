using System.Text;
using DiskSync.Formats;
using DiskSync.Formats.Peers;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the file of trusted peers.</summary>
public static class FuzzPeers
{
    private const string Key = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";

    /// <summary>Files with every kind of line and name.</summary>
    public static IReadOnlyList<byte[]> Seeds() =>
    [
        [],
        Encoding.UTF8.GetBytes($"# a remark, ü\n\nweb1 {Key}\nBackup.example:7110\t{Key}  # since the move\n"),
        Encoding.UTF8.GetBytes($"[2001:db8::1]:7110 {Key}\n::1 {Key}\n  192.0.2.7 {Key}"),
    ];

    /// <summary>Reads a file; in one that is accepted every entry must be found again after it was taken out and put back.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        IReadOnlyList<PeerEntry> entries;
        try
        {
            entries = PeersFile.Decode(input);
        }
        catch (FormatViolationException)
        {
            return;
        }

        if (entries.Count == 0)
        {
            return;
        }

        PeerEntry first = entries[0];
        byte[] without = PeersFile.Without(input, first.Name);
        if (!PeersFile.Decode(without).SequenceEqual(entries.Skip(1)))
        {
            throw new InvalidOperationException("taking one entry out changed another");
        }

        if (!PeersFile.Decode(PeersFile.With(without, first)).SequenceEqual(entries.Skip(1).Append(first)))
        {
            throw new InvalidOperationException("an entry is not read as it was written");
        }
    }
}
