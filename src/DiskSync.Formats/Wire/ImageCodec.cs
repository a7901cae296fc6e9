using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Wire;

/// <summary>The layouts of the messages that offer bases and open and close images.</summary>
internal static class ImageCodec
{
    private const int MinOffer = 2 + 8 + Hash256.Size + 8;
    private const OpenFlags KnownFlags = OpenFlags.InPlace | OpenFlags.Fresh | OpenFlags.HandOver;

    public static FrameType? TryWrite(Message message, FieldWriter writer)
    {
        switch (message)
        {
            case ListBases list:
                writer.UInt64(list.Length);
                writer.UInt32(list.Granularity);
                writer.Name("name", list.Name);
                return FrameType.ListBases;
            case Bases bases:
                writer.Count("offers", bases.Offers.Count, WireLimits.MaxBases);
                foreach (BaseOffer offer in bases.Offers)
                {
                    writer.Name("name", offer.Name);
                    writer.UInt64(offer.Length);
                    writer.Hash(offer.Root);
                    writer.UInt64(offer.Epoch);
                }

                return FrameType.Bases;
            case OpenImage open:
                writer.Name("name", open.Name);
                writer.UInt64(open.Length);
                writer.UInt32(open.Granularity);
                writer.UInt32((uint)open.Flags);
                writer.Byte((byte)open.Base);
                writer.Name("base name", open.BaseName);
                writer.Hash(open.BaseRoot);
                writer.UInt32(open.Mode);
                writer.Name("owner", open.Owner);
                return FrameType.OpenImage;
            case ImageReady ready:
                writer.UInt64(ready.Fence);
                writer.Byte((byte)ready.State);
                writer.UInt64(ready.KnownBlocks);
                writer.Hash(ready.MapRoot);
                writer.UInt64(ready.Epoch);
                writer.Text(ready.StagedAs);
                writer.Text(ready.BaseUsed);
                writer.Text(ready.Notice);
                return FrameType.ImageReady;
            case CloseImage close:
                writer.Bool(close.Discard);
                return FrameType.CloseImage;
            case ImageClosed closed:
                writer.UInt64(closed.DurableBlocks);
                return FrameType.ImageClosed;
            default:
                return null;
        }
    }

    public static Message? TryRead(FrameType type, ref FieldReader reader)
    {
        switch (type)
        {
            case FrameType.ListBases:
                (ulong length, uint granularity) = ReadGeometry(ref reader);
                return new ListBases(length, granularity, reader.Text("name"));
            case FrameType.Bases:
                return ReadBases(ref reader);
            case FrameType.OpenImage:
                return ReadOpen(ref reader);
            case FrameType.ImageReady:
                return new ImageReady(
                    reader.UInt64("fence"),
                    (TargetState)reader.Byte("state", (byte)TargetState.Empty, (byte)TargetState.Resumed),
                    reader.UInt64("known blocks", 0, WireLimits.MaxBlocks),
                    reader.Hash("map root"),
                    reader.UInt64("epoch"),
                    reader.Text("staged as"),
                    reader.Text("base used"),
                    reader.Text("notice"));
            case FrameType.CloseImage:
                return new CloseImage(reader.Bool("discard"));
            case FrameType.ImageClosed:
                return new ImageClosed(reader.UInt64("durable blocks", 0, WireLimits.MaxBlocks));
            default:
                return null;
        }
    }

    /// <summary>The name of the target that a message is about.</summary>
    internal static string ReadTargetName(ref FieldReader reader)
    {
        string name = reader.Text("name");
        return name.Length > 0 ? name : throw reader.Violation("an empty text", "the target's name", sizeof(ushort));
    }

    /// <summary>An image's length and granularity, within the limits of <see cref="BlockGeometry"/>.</summary>
    internal static (ulong Length, uint Granularity) ReadGeometry(ref FieldReader reader, ulong shortest = 0)
    {
        ulong length = reader.UInt64("length", shortest, (ulong)BlockGeometry.MaxLength);
        uint granularity = reader.UInt32("granularity");
        return BlockGeometry.IsValidGranularity(granularity)
            ? (length, granularity)
            : throw reader.Violation($"granularity {granularity}", "a power of two from 4 KiB to 4 MiB", sizeof(uint));
    }

    private static Bases ReadBases(ref FieldReader reader)
    {
        var offers = new BaseOffer[reader.Count("offers", WireLimits.MaxBases, MinOffer)];
        for (int i = 0; i < offers.Length; i++)
        {
            offers[i] = new BaseOffer(
                reader.Text("name"),
                reader.UInt64("length", 0, (ulong)BlockGeometry.MaxLength),
                reader.Hash("root"),
                reader.UInt64("epoch"));
        }

        return new Bases(offers);
    }

    private static OpenImage ReadOpen(ref FieldReader reader)
    {
        string name = ReadTargetName(ref reader);
        (ulong length, uint granularity) = ReadGeometry(ref reader);
        var flags = (OpenFlags)reader.UInt32("flags");
        if ((flags & ~KnownFlags) != 0)
        {
            throw reader.Violation($"flags 0x{(uint)flags:x}", "flags of this version", sizeof(uint));
        }

        return new OpenImage(
            name,
            length,
            granularity,
            flags,
            (BaseChoice)reader.Byte("base", (byte)BaseChoice.None, (byte)BaseChoice.Named),
            reader.Text("base name"),
            reader.Hash("base root"),
            reader.UInt32("mode"),
            reader.Text("owner"));
    }
}
