using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Formats;
using DiskSync.Formats.Journal;

namespace DiskSync.Handoff.Ownership;

/// <summary>An entry as the bytes of an ownership record (src/DiskSync.Formats/Journal/FORMAT.md).</summary>
/// <remarks>Decoding throws <see cref="InvalidDataException"/> only.</remarks>
internal static class OwnershipEntryCodec
{
    /// <summary>Writes an entry as the record that follows <paramref name="chain"/>, which becomes its own chain value.</summary>
    /// <exception cref="DiskSyncException">A path, a command or the list of images is longer than a record can hold.</exception>
    public static byte[] Encode(OwnershipEntry entry, long sequence, ref Hash256 chain)
    {
        OwnershipRecord record = new(
            entry.Image, entry.Attempt, entry.Epoch, entry.Kind, entry.Root, entry.Time.ToUnixTimeMilliseconds(), entry.Peer, entry.Command, entry.Images);
        try
        {
            byte[] bytes = OwnershipRecordCodec.Encode(record, (ulong)sequence, chain, out Hash256 own);
            chain = own;
            return bytes;
        }
        catch (ArgumentException e)
        {
            throw new DiskSyncException(
                FailureKind.Usage,
                $"{entry.Image}: cannot be recorded in the ownership journal: {e.Message}",
                "Paths and commands may have 4096 bytes, an attempt 64 images: put a long command into a script.",
                e);
        }
    }

    /// <summary>Reads the record that must follow <paramref name="chain"/>, which becomes its own chain value.</summary>
    public static OwnershipEntry Decode(byte[] bytes, long sequence, ref Hash256 chain)
    {
        try
        {
            OwnershipRecord record = OwnershipRecordCodec.Decode(bytes, (ulong)sequence, chain, out Hash256 own);
            chain = own;
            return new OwnershipEntry(
                record.Image,
                record.Attempt,
                record.Epoch,
                record.State,
                record.Root,
                DateTimeOffset.FromUnixTimeMilliseconds(record.TimeMs),
                record.Peer,
                record.Command,
                record.Images);
        }
        catch (Exception e) when (e is FormatViolationException or ArgumentOutOfRangeException)
        {
            throw new InvalidDataException($"record {sequence}: {e.Message}", e);
        }
    }
}
