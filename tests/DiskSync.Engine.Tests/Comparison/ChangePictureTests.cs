using System.Buffers.Binary;
using System.Text;
using System.Xml.Linq;
using DiskSync.Engine.Comparison;
using DiskSync.Engine.Comparison.Picture;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Tests.Comparison;

public sealed class ChangePictureTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65536 * 100)]
    [InlineData(4L << 30)]
    [InlineData(1L << 52)]
    public void A_picture_of_any_length_counts_every_block_once(long length)
    {
        var geometry = new BlockGeometry(length, 65536);
        var map = new ChangeMap(geometry);
        if (geometry.BlockCount > 0)
        {
            map.Add(new StateRun(0, geometry.BlockCount, BlockState.Same));
        }

        Assert.True(map.Cells.Count <= 64 * 32);
        Assert.Equal(geometry.BlockCount, map.Cells.Sum(cell => cell.Same));
    }

    [Fact]
    public void The_svg_is_well_formed_whatever_the_images_are_called()
    {
        Drawing drawing = Sample("<&\"base", "image's\u00e9.img");
        using var text = new StringWriter();

        SvgWriter.Write(drawing, text);

        XElement svg = XDocument.Parse(text.ToString()).Root!;
        Assert.Equal(drawing.Boxes.Count + 1, svg.Descendants().Count(element => element.Name.LocalName == "rect"));
        Assert.Contains("<&\"base", svg.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void The_png_has_the_drawings_size_and_right_checks()
    {
        Drawing drawing = Sample("base.img", "image.img");
        using var file = new MemoryStream();

        PngWriter.Write(drawing, file);

        byte[] png = file.ToArray();
        Assert.Equal(drawing.Width, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)));
        Assert.Equal(drawing.Height, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)));
        Assert.Equal("IEND", Encoding.ASCII.GetString(png, png.Length - 8, 4));

        // The check of an empty IEND chunk is the same in every PNG file.
        Assert.Equal(0xAE426082u, BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(png.Length - 4)));
    }

    [Fact]
    public void Everything_drawn_lies_inside_the_page()
    {
        Drawing drawing = Sample(new string('b', 200) + ".img", new string('i', 200) + ".img");

        Assert.All(drawing.Boxes, box => Assert.True(
            box.X >= 0 && box.Y >= 0 && box.X + box.Width <= drawing.Width && box.Y + box.Height <= drawing.Height));
        Assert.All(drawing.Labels, label => Assert.True(
            label.RightAligned
                ? label.X - (label.Text.Length * 6 * label.Scale) >= 0
                : label.X + (label.Text.Length * 6 * label.Scale) <= drawing.Width,
            label.Text));
    }

    private static Drawing Sample(string baseName, string imageName)
    {
        var geometry = new BlockGeometry(4L << 30, 65536);
        var map = new ChangeMap(geometry);
        var random = new Random(5);
        long at = 0;
        long changed = 0;
        long extents = 0;
        while (at < geometry.BlockCount)
        {
            var state = (BlockState)random.Next(at > 40000 ? 2 : 4);
            long longest = state is BlockState.Changed ? 40 : state is BlockState.Zeroed ? 90 : 900;
            long count = Math.Min(geometry.BlockCount - at, 1 + random.NextInt64(longest));
            map.Add(new StateRun(at, count, state));
            changed += state >= BlockState.Changed ? count : 0;
            extents += state >= BlockState.Changed ? 1 : 0;
            at += count;
        }

        var result = new ComparisonResult(
            geometry.Length, geometry, changed, 0, changed * 65536, 0, null, extents, 0);
        return ChangeMapDrawing.Draw(map, result, baseName, imageName);
    }
}
