using DiskSync.Codecs;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Wire;

/// <summary>The layouts of the messages of a hand-over with an on-demand tail (docs/tail.md).</summary>
internal static class TailHandOverCodec
{
    private const int SpanSize = 2 * sizeof(ulong);
    private const int ImageSize = sizeof(ushort) + Hash256.Size + sizeof(ushort);

    public static FrameType? TryWrite(Message message, FieldWriter writer)
    {
        switch (message)
        {
            case MissingBlocks missing:
                writer.Bool(missing.IsFirst);
                writer.Count("spans", missing.Spans.Count, WireLimits.MaxSpans);
                foreach (BlockSpan span in missing.Spans)
                {
                    writer.UInt64(span.First);
                    writer.UInt64(span.Count);
                }

                return FrameType.MissingBlocks;
            case MissingNoted noted:
                writer.UInt64(noted.Blocks);
                return FrameType.MissingNoted;
            case PrepareTail prepare:
                writer.Guid(prepare.Attempt);
                writer.UInt64(prepare.Epoch);
                writer.Count("images", prepare.Images.Count, WireLimits.MaxImages);
                foreach (TailImage image in prepare.Images)
                {
                    writer.UInt16(image.Image);
                    writer.Hash(image.Root);
                    writer.Text(image.Source);
                }

                writer.Name("resume", prepare.Resume);
                return FrameType.PrepareTail;
            case QueryTail query:
                writer.Guid(query.Attempt);
                return FrameType.QueryTail;
            case TailStatus status:
                writer.Guid(status.Attempt);
                writer.Byte((byte)status.State);
                writer.UInt64(status.Epoch);
                writer.UInt64(status.MissingBytes);
                return FrameType.TailStatus;
            default:
                return null;
        }
    }

    public static Message? TryRead(FrameType type, ref FieldReader reader) => type switch
    {
        FrameType.MissingBlocks => ReadMissing(ref reader),
        FrameType.MissingNoted => new MissingNoted(reader.UInt64("blocks")),
        FrameType.PrepareTail => ReadPrepare(ref reader),
        FrameType.QueryTail => new QueryTail(reader.Guid("attempt")),
        FrameType.TailStatus => new TailStatus(
            reader.Guid("attempt"),
            (AttemptState)reader.Byte("state", (byte)AttemptState.None, (byte)AttemptState.Pinned),
            reader.UInt64("epoch"),
            reader.UInt64("missing bytes")),
        _ => null,
    };

    private static MissingBlocks ReadMissing(ref FieldReader reader)
    {
        bool isFirst = reader.Bool("is first");
        var spans = new BlockSpan[reader.Count("spans", WireLimits.MaxSpans, SpanSize)];
        ulong from = 0;
        for (int i = 0; i < spans.Length; i++)
        {
            ulong first = reader.UInt64("first block", from, WireLimits.MaxBlocks - 1);
            ulong count = reader.UInt64("count", 1, WireLimits.MaxBlocks - first);
            spans[i] = new BlockSpan(first, count);

            // One that touches the one before would be written as one with it.
            from = Math.Min(first + count + 1, WireLimits.MaxBlocks);
        }

        return new MissingBlocks(isFirst, spans);
    }

    private static PrepareTail ReadPrepare(ref FieldReader reader)
    {
        Guid attempt = reader.Guid("attempt");
        ulong epoch = reader.UInt64("epoch");
        var images = new TailImage[reader.Count("images", WireLimits.MaxImages, ImageSize)];
        ulong seen = 0;
        for (int i = 0; i < images.Length; i++)
        {
            ushort image = reader.UInt16("image");
            if (!WireLimits.IsImage(image) || (seen & (1UL << image)) != 0)
            {
                throw reader.Violation($"image {image}", "an image index, each once", sizeof(ushort));
            }

            seen |= 1UL << image;
            images[i] = new TailImage(image, reader.KnownHash("root"), reader.Text("source"));
        }

        return images.Length > 0
            ? new PrepareTail(attempt, epoch, images, reader.Text("resume"))
            : throw reader.Violation("no image", "the attempt's images", sizeof(uint));
    }
}
