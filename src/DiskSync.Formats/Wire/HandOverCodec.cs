using DiskSync.Codecs;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Wire;

/// <summary>The layouts of the messages of the hand-over (design section 5).</summary>
internal static class HandOverCodec
{
    private const int ImageSize = sizeof(ushort) + Hash256.Size;

    public static FrameType? TryWrite(Message message, FieldWriter writer)
    {
        switch (message)
        {
            case Prepare prepare:
                Write(writer, prepare.Attempt, prepare.Epoch);
                writer.Count("images", prepare.Images.Count, WireLimits.MaxImages);
                foreach (ImageRoot image in prepare.Images)
                {
                    writer.UInt16(image.Image);
                    writer.Hash(image.Root);
                }

                writer.Name("resume", prepare.Resume);
                return FrameType.Prepare;
            case Prepared prepared:
                Write(writer, prepared.Attempt, prepared.Epoch);
                return FrameType.Prepared;
            case Commit commit:
                Write(writer, commit.Attempt, commit.Epoch);
                return FrameType.Commit;
            case Owner owner:
                Write(writer, owner.Attempt, owner.Epoch);
                return FrameType.Owner;
            case Running running:
                Write(writer, running.Attempt, running.Epoch);
                writer.Int32(running.ExitCode);
                writer.Text(running.Output, fromEnd: true);
                return FrameType.Running;
            case Refuse refuse:
                Write(writer, refuse.Attempt, refuse.Epoch);
                return FrameType.Refuse;
            case Refused refused:
                Write(writer, refused.Attempt, refused.Epoch);
                writer.Text(refused.Reason);
                return FrameType.Refused;
            case QueryAttempt query:
                writer.Guid(query.Attempt);
                return FrameType.QueryAttempt;
            case AttemptStatus status:
                writer.Guid(status.Attempt);
                writer.Byte((byte)status.State);
                writer.UInt64(status.Epoch);
                return FrameType.AttemptStatus;
            case CheckResume check:
                writer.Name("resume", check.Resume);
                return FrameType.CheckResume;
            case ResumeChecked:
                return FrameType.ResumeChecked;
            default:
                return null;
        }
    }

    public static Message? TryRead(FrameType type, ref FieldReader reader) => type switch
    {
        FrameType.Prepare => ReadPrepare(ref reader),
        FrameType.Prepared => new Prepared(reader.Guid("attempt"), reader.UInt64("epoch")),
        FrameType.Commit => new Commit(reader.Guid("attempt"), reader.UInt64("epoch")),
        FrameType.Owner => new Owner(reader.Guid("attempt"), reader.UInt64("epoch")),
        FrameType.Running => new Running(
            reader.Guid("attempt"), reader.UInt64("epoch"), reader.Int32("exit code"), reader.Text("output")),
        FrameType.Refuse => new Refuse(reader.Guid("attempt"), reader.UInt64("epoch")),
        FrameType.Refused => new Refused(reader.Guid("attempt"), reader.UInt64("epoch"), reader.Text("reason")),
        FrameType.QueryAttempt => new QueryAttempt(reader.Guid("attempt")),
        FrameType.AttemptStatus => new AttemptStatus(
            reader.Guid("attempt"),
            (AttemptState)reader.Byte("state", (byte)AttemptState.None, (byte)AttemptState.Pinned),
            reader.UInt64("epoch")),
        FrameType.CheckResume => new CheckResume(reader.Text("resume")),
        FrameType.ResumeChecked => new ResumeChecked(),
        _ => null,
    };

    private static void Write(FieldWriter writer, Guid attempt, ulong epoch)
    {
        writer.Guid(attempt);
        writer.UInt64(epoch);
    }

    private static Prepare ReadPrepare(ref FieldReader reader)
    {
        Guid attempt = reader.Guid("attempt");
        ulong epoch = reader.UInt64("epoch");
        var images = new ImageRoot[reader.Count("images", WireLimits.MaxImages, ImageSize)];
        ulong seen = 0;
        for (int i = 0; i < images.Length; i++)
        {
            ushort image = reader.UInt16("image");
            if (!WireLimits.IsImage(image) || (seen & (1UL << image)) != 0)
            {
                throw reader.Violation($"image {image}", "an image index, each once", sizeof(ushort));
            }

            seen |= 1UL << image;
            images[i] = new ImageRoot(image, reader.KnownHash("root"));
        }

        return images.Length > 0
            ? new Prepare(attempt, epoch, images, reader.Text("resume"))
            : throw reader.Violation("no image", "the attempt's images", sizeof(uint));
    }
}
