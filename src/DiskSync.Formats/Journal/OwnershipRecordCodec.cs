using System.Buffers;
using DiskSync.Codecs;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Journal;

/// <summary>Ownership records as bytes, and the chain that ties each to all before it (FORMAT.md, "Ownership record").</summary>
/// <remarks>Thread safe. The bytes are stored as rows; a record is believed only where its stored own chain value is right.</remarks>
public static class OwnershipRecordCodec
{
    private const string Name = "ownership record";
    private const byte Version = 1;
    private const int ChainsSize = 2 * Hash256.Size;
    private static readonly byte[] ChainKey = Derive();

    /// <summary>Writes a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="sequence">Its number in the journal, from 1.</param>
    /// <param name="previous">The own chain value of the record before it; <see cref="Genesis"/> for the first.</param>
    /// <param name="chain">The record's own chain value: the last 32 of the bytes.</param>
    /// <exception cref="ArgumentException">The record breaks a cap: a bug of the caller.</exception>
    public static byte[] Encode(OwnershipRecord record, ulong sequence, in Hash256 previous, out Hash256 chain)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentException.ThrowIfNullOrEmpty(record.Image);
        if (record.State == AttemptState.None || !Enum.IsDefined(record.State))
        {
            throw new ArgumentException($"state {record.State} cannot be recorded", nameof(record));
        }

        var output = new ArrayBufferWriter<byte>(512);
        var writer = new FieldWriter(output);
        writer.Byte(Version);
        writer.Byte((byte)record.State);
        writer.UInt16(0);
        writer.UInt64(sequence);
        writer.UInt64(record.Epoch);
        writer.Guid(record.Attempt);
        writer.Hash(record.Root);
        writer.Int64(record.TimeMs);
        writer.Name("image", record.Image);
        writer.Text(record.Peer);
        writer.Name("command", record.Command);
        writer.Count("images", record.Images.Count, WireLimits.MaxImages);
        foreach (string image in record.Images)
        {
            writer.Name("image", image);
        }

        writer.Hash(previous);
        chain = Blake3.KeyedHash(ChainKey, output.WrittenSpan);
        writer.Hash(chain);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a record and checks that it is the one that belongs there.</summary>
    /// <param name="bytes">The record.</param>
    /// <param name="sequence">The number it must have.</param>
    /// <param name="previous">The chain value it must follow.</param>
    /// <param name="chain">Its own chain value, which the next record must follow.</param>
    /// <exception cref="FormatViolationException">It is cut off, damaged, of another version, or does not follow the one before.</exception>
    public static OwnershipRecord Decode(ReadOnlySpan<byte> bytes, ulong sequence, in Hash256 previous, out Hash256 chain)
    {
        var reader = new FieldReader(bytes, Name);
        byte version = reader.Byte("version");
        if (version != Version)
        {
            throw reader.Violation($"version {version}", $"version {Version}, which this program reads", 1);
        }

        if (bytes.Length < ChainsSize)
        {
            throw reader.Violation($"{bytes.Length} bytes", "a whole record");
        }

        chain = Blake3.KeyedHash(ChainKey, bytes[..^Hash256.Size]);
        if (chain != new Hash256(bytes[^Hash256.Size..]))
        {
            throw reader.Violation("bytes that are not what was written", $"the chain value {chain}");
        }

        OwnershipRecord record = ReadFields(ref reader, sequence);
        if (reader.Hash("previous chain value") != previous)
        {
            throw reader.Violation("a record that follows another one", $"one that follows {previous}", Hash256.Size);
        }

        reader.Bytes("chain value", Hash256.Size);
        reader.End();
        return record;
    }

    /// <summary>The chain value before the first record.</summary>
    /// <param name="recreated">Whether the journal was made anew after damage, by the operator's word.</param>
    public static Hash256 Genesis(bool recreated)
    {
        Span<byte> start = stackalloc byte[Hash256.Size];
        Blake3.DeriveKey("DiskSync 2026 ownership journal start v1", [recreated ? (byte)1 : (byte)0], start);
        return new Hash256(start);
    }

    private static OwnershipRecord ReadFields(ref FieldReader reader, ulong sequence)
    {
        var state = (AttemptState)reader.Byte("state", (byte)AttemptState.Paused, (byte)AttemptState.Pinned);
        ushort reserved = reader.UInt16("reserved");
        if (reserved != 0)
        {
            throw reader.Violation($"{reserved}", "zero where it is reserved", sizeof(ushort));
        }

        reader.UInt64("sequence", sequence, sequence);
        ulong epoch = reader.UInt64("epoch");
        Guid attempt = reader.Guid("attempt");
        Hash256 root = reader.Hash("root");
        long time = reader.Int64("time");
        string image = reader.Text("image");
        string peer = reader.Text("peer");
        string command = reader.Text("command");
        var images = new string[reader.Count("images", WireLimits.MaxImages, sizeof(ushort))];
        for (int i = 0; i < images.Length; i++)
        {
            images[i] = reader.Text("image");
        }

        return image.Length > 0
            ? new OwnershipRecord(image, attempt, epoch, state, root, time, peer, command, images)
            : throw reader.Violation("no image", "an image's identity");
    }

    private static byte[] Derive()
    {
        byte[] key = new byte[Hash256.Size];
        Blake3.DeriveKey("DiskSync 2026 ownership record chain v1", [], key);
        return key;
    }
}
