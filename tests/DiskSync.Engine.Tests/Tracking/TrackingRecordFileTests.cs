using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Tracking;
using DiskSync.Formats.ExportControl;
using DiskSync.Formats.Tracking;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Tracking;

/// <summary>What an export leaves for the next one is believed once, and only while nobody has touched the image.</summary>
public sealed class TrackingRecordFileTests : IDisposable
{
    private const int Length = (1 << 20) + 512;
    private readonly TempFolder _folder = new();
    private readonly string _image;
    private readonly TrackingRecordFile _file;
    private readonly TrackingBaseline _known = new(Blake3.Hash([9]), 4, new DirtyMap(Length));

    public TrackingRecordFileTests()
    {
        _image = _folder.Write("image", new byte[Length]);
        _file = new TrackingRecordFile(Record);
        _known.Since.Mark(8192, 1);
        _known.Since.Mark(Length - 1, 1);
    }

    private string Record => _folder.File("exports/x.tracking");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_comes_back_once()
    {
        Assert.Empty(_file.Save(_image, _known));
        TrackingBaseline? taken = Take(out string why);
        Assert.True(taken is not null, why);
        Assert.Equal(_known.Root, taken.Root);
        Assert.Equal(_known.Epoch, taken.Epoch);
        Assert.Equal(2 * DirtyMap.Precision, taken.Since.DirtyBytes);
        Assert.Equal(_known.Since.Peek().Single().Words, taken.Since.Peek().Single().Words);
        Assert.False(File.Exists(Record));
        Assert.Null(Take(out _));
    }

    [Fact]
    public void An_image_that_was_written_or_replaced_meanwhile_is_not_the_one()
    {
        Assert.Empty(_file.Save(_image, _known));
        using (FileStream writer = File.OpenWrite(_image))
        {
            writer.WriteByte(7);
        }

        Assert.Null(Take(out string written));
        Assert.Contains("has changed", written, StringComparison.Ordinal);
        Assert.Empty(_file.Save(_image, _known));
        File.Copy(_image, _image + "2");
        File.Move(_image + "2", _image, overwrite: true);
        Assert.Null(Take(out string replaced));
        Assert.Contains("has changed", replaced, StringComparison.Ordinal);
        Assert.Empty(_file.Save(_image, _known));
        using (FileStream longer = File.OpenWrite(_image))
        {
            longer.SetLength(Length + 1);
        }

        Assert.Null(Take(out string grown));
        Assert.Contains("length", grown, StringComparison.Ordinal);
    }

    [Fact]
    public void While_somebody_has_the_image_open_for_writing_nothing_is_kept()
    {
        using FileStream writer = File.OpenWrite(_image);
        Assert.Contains("open for writing", _file.Save(_image, _known), StringComparison.Ordinal);
        Assert.False(File.Exists(Record));
    }

    [Fact]
    public void A_record_of_another_boot_or_a_damaged_one_or_one_that_leaves_the_image_says_nothing_and_goes()
    {
        Assert.Empty(_file.Save(_image, _known));
        byte[] good = File.ReadAllBytes(Record);
        TrackingRecord record = TrackingRecordCodec.Decode(good);
        ulong[] past = new ulong[DirtyBits.WordCount];
        past[^1] = 1;
        foreach (byte[] bad in (byte[][])[
            good[..^1],
            [],
            TrackingRecordCodec.TryEncode(record with { Identity = record.Identity with { Boot = Guid.NewGuid() } })!,
            TrackingRecordCodec.TryEncode(record with { Chunks = [new DirtyBits(0, past)] })!,
            TrackingRecordCodec.TryEncode(record with { Chunks = [new DirtyBits(1, past)] })!])
        {
            File.WriteAllBytes(Record, bad);
            Assert.Null(Take(out string why));
            Assert.NotEmpty(why);
            Assert.False(File.Exists(Record));
        }

        File.WriteAllBytes(Record, good);
        Assert.NotNull(Take(out _));
    }

    private TrackingBaseline? Take(out string why)
    {
        using IBlockDevice image = ExportedImage.Open(_image);
        return _file.Take(image, out why);
    }
}
