using System.Buffers.Binary;
using System.Text;
using DiskSync.Codecs;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>An entry as bytes, and the chain that ties each entry to all before it.</summary>
/// <remarks>Decoding throws <see cref="InvalidDataException"/> only, and never trusts a length beyond the bytes that are there.</remarks>
internal static class OwnershipEntryCodec
{
    private const byte Version = 1;

    /// <summary>The chain's start: it binds whether the journal was made anew after damage.</summary>
    public static Hash256 Genesis(bool recreated)
    {
        Span<byte> start = stackalloc byte[Hash256.Size];
        Blake3.DeriveKey("DiskSync 2026 ownership journal v1", [recreated ? (byte)1 : (byte)0], start);
        return new Hash256(start);
    }

    /// <summary>The chain after an entry: a keyed hash, under the chain before it, of its number and bytes.</summary>
    public static Hash256 Chain(Hash256 before, long sequence, ReadOnlySpan<byte> body)
    {
        Span<byte> key = stackalloc byte[Hash256.Size];
        before.CopyTo(key);
        byte[] bound = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bound, sequence);
        body.CopyTo(bound.AsSpan(8));
        return Blake3.KeyedHash(key, bound);
    }

    public static byte[] Encode(OwnershipEntry entry)
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream, Encoding.UTF8);
        Span<byte> fixedPart = stackalloc byte[Hash256.Size];
        writer.Write(Version);
        writer.Write((byte)entry.Kind);
        entry.Attempt.TryWriteBytes(fixedPart, bigEndian: true, out _);
        writer.Write(fixedPart[..16]);
        writer.Write(entry.Epoch);
        entry.Root.CopyTo(fixedPart);
        writer.Write(fixedPart);
        writer.Write(entry.Time.ToUnixTimeMilliseconds());
        writer.Write(entry.Image);
        writer.Write(entry.Peer);
        writer.Write(entry.Command);
        writer.Write(entry.Images.Count);
        foreach (string image in entry.Images)
        {
            writer.Write(image);
        }

        writer.Flush();
        return stream.ToArray();
    }

    public static OwnershipEntry Decode(byte[] body)
    {
        try
        {
            using MemoryStream stream = new(body, writable: false);
            using BinaryReader reader = new(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
            if (reader.ReadByte() is var version && version != Version)
            {
                throw new InvalidDataException($"a record of version {version}, this program writes version {Version}");
            }

            var kind = (AttemptState)reader.ReadByte();
            if (!Enum.IsDefined(kind) || kind == AttemptState.None)
            {
                throw new InvalidDataException($"a record of kind {(byte)kind}");
            }

            Guid attempt = new(reader.ReadBytes(16), bigEndian: true);
            ulong epoch = reader.ReadUInt64();
            Hash256 root = new(reader.ReadBytes(Hash256.Size));
            DateTimeOffset time = DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64());
            string image = reader.ReadString();
            string peer = reader.ReadString();
            string command = reader.ReadString();
            int count = reader.ReadInt32();
            List<string> images = [];
            for (int i = 0; i < count; i++)
            {
                images.Add(reader.ReadString());
            }

            return stream.Position == stream.Length
                ? new OwnershipEntry(image, attempt, epoch, kind, root, time, peer, command, images)
                : throw new InvalidDataException("bytes after the end of a record");
        }
        catch (Exception e) when (e is EndOfStreamException or ArgumentException or FormatException or DecoderFallbackException)
        {
            throw new InvalidDataException("a record that cannot be decoded", e);
        }
    }
}
