using System.Buffers.Binary;
using System.IO.Compression;

namespace DiskSync.Engine.Comparison.Picture;

/// <summary>Draws a drawing into pixels and writes them as PNG (8-bit RGB, one IDAT, no filters).</summary>
/// <remarks>
/// Our own sixty lines over <see cref="ZLibStream"/>: rectangles and a small font do not justify an imaging library.
/// Specification: ISO/IEC 15948 (PNG), sections 5 and 11.
/// </remarks>
public static class PngWriter
{
    private const int BytesPerPixel = 3;

    /// <summary>Writes the whole file.</summary>
    /// <param name="drawing">The picture; letters outside ASCII are drawn as question marks.</param>
    /// <param name="output">Stays open.</param>
    public static void Write(Drawing drawing, Stream output)
    {
        ArgumentNullException.ThrowIfNull(drawing);
        ArgumentNullException.ThrowIfNull(output);
        byte[] rows = Rasterize(drawing);
        output.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, drawing.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), drawing.Height);
        header[8] = 8;
        header[9] = 2;
        Chunk(output, "IHDR"u8, header);
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            zlib.Write(rows);
        }

        Chunk(output, "IDAT"u8, compressed.GetBuffer().AsSpan(0, (int)compressed.Length));
        Chunk(output, "IEND"u8, []);
    }

    /// <summary>The pixels as PNG's rows: a filter byte (0), then three bytes a pixel.</summary>
    private static byte[] Rasterize(Drawing drawing)
    {
        byte[] rows = new byte[drawing.Height * RowSize(drawing)];
        Fill(drawing, rows, new Box(0, 0, drawing.Width, drawing.Height, 0xffffff));
        foreach (Box box in drawing.Boxes)
        {
            Fill(drawing, rows, box);
        }

        foreach (Label label in drawing.Labels)
        {
            int advance = PixelFont.Advance * label.Scale;
            int x = label.RightAligned ? label.X - (label.Text.Length * advance) : label.X;
            foreach (char letter in label.Text)
            {
                Letter(drawing, rows, label, letter, x);
                x += advance;
            }
        }

        return rows;
    }

    private static int RowSize(Drawing drawing) => 1 + (drawing.Width * BytesPerPixel);

    private static void Letter(Drawing drawing, byte[] rows, Label label, char letter, int x)
    {
        for (int column = 0; column < PixelFont.Width; column++)
        {
            byte bits = PixelFont.Column(letter, column);
            for (int row = 0; row < 8; row++)
            {
                if ((bits >> row & 1) != 0)
                {
                    Fill(drawing, rows, new Box(
                        x + (column * label.Scale), label.Y + (row * label.Scale), label.Scale, label.Scale, label.Color));
                }
            }
        }
    }

    private static void Fill(Drawing drawing, byte[] rows, Box box)
    {
        int left = Math.Clamp(box.X, 0, drawing.Width);
        int right = Math.Clamp(box.X + box.Width, 0, drawing.Width);
        for (int y = Math.Max(0, box.Y); y < Math.Min(drawing.Height, box.Y + box.Height); y++)
        {
            Span<byte> row = rows.AsSpan((y * RowSize(drawing)) + 1, drawing.Width * BytesPerPixel);
            for (int x = left; x < right; x++)
            {
                row[x * BytesPerPixel] = (byte)(box.Color >> 16);
                row[(x * BytesPerPixel) + 1] = (byte)(box.Color >> 8);
                row[(x * BytesPerPixel) + 2] = (byte)box.Color;
            }
        }
    }

    private static void Chunk(Stream output, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        output.Write(word);
        output.Write(type);
        output.Write(data);
        uint crc = Crc32(Crc32(uint.MaxValue, type), data) ^ uint.MaxValue;
        BinaryPrimitives.WriteUInt32BigEndian(word, crc);
        output.Write(word);
    }

    /// <summary>PNG's CRC (ISO 3309), a bit at a time: the data is a few kilobytes.</summary>
    private static uint Crc32(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
            }
        }

        return crc;
    }
}
