using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Wire;

/// <summary>The layouts of the messages by which a sealed image is checked without being opened.</summary>
internal static class CheckCodec
{
    private const int SampleSize = sizeof(ulong) + Hash256.Size;

    public static FrameType? TryWrite(Message message, FieldWriter writer)
    {
        switch (message)
        {
            case CheckImage check:
                writer.Name("name", check.Name);
                writer.UInt64(check.Length);
                writer.UInt32(check.Granularity);
                writer.Hash(check.Root);
                writer.UInt32(check.Mode);
                writer.Name("owner", check.Owner);
                writer.Count("sample", check.Sample.Count, WireLimits.MaxSample);
                foreach (SampleBlock sample in check.Sample)
                {
                    writer.UInt64(sample.Block);
                    writer.Hash(sample.Hash);
                }

                return FrameType.CheckImage;
            case ImageChecked answer:
                writer.Bool(answer.Identical);
                writer.Text(answer.Path);
                writer.UInt64(answer.BytesRead);
                writer.Text(answer.Why);
                return FrameType.ImageChecked;
            default:
                return null;
        }
    }

    public static Message? TryRead(FrameType type, ref FieldReader reader) => type switch
    {
        FrameType.CheckImage => ReadCheck(ref reader),
        FrameType.ImageChecked => new ImageChecked(
            reader.Bool("identical"), reader.Text("path"), reader.UInt64("bytes read"), reader.Text("why")),
        _ => null,
    };

    private static CheckImage ReadCheck(ref FieldReader reader)
    {
        string name = ImageCodec.ReadTargetName(ref reader);
        (ulong length, uint granularity) = ImageCodec.ReadGeometry(ref reader, shortest: 1);
        return new CheckImage(
            name,
            length,
            granularity,
            reader.KnownHash("root"),
            reader.UInt32("mode"),
            reader.Text("owner"),
            ReadSample(ref reader, new BlockGeometry((long)length, (int)granularity)));
    }

    private static SampleBlock[] ReadSample(ref FieldReader reader, BlockGeometry geometry)
    {
        int most = (int)Math.Min(WireLimits.MaxSample, WireLimits.MaxSampleBytes / geometry.Granularity);
        var sample = new SampleBlock[reader.Count("sample", most, SampleSize)];
        ulong next = 0;
        for (int i = 0; i < sample.Length; i++)
        {
            ulong block = reader.UInt64("block", next, (ulong)geometry.BlockCount - 1);
            sample[i] = new SampleBlock(block, reader.KnownHash("hash"));
            next = block + 1;
        }

        return sample;
    }
}
