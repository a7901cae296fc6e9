using System.Globalization;

namespace DiskSync.Engine.Comparison.Picture;

/// <summary>Lays a change map out as a page: title, figures, grid with offsets, legend.</summary>
public static class ChangeMapDrawing
{
    private const int Margin = 24;
    private const int GridLeft = Margin + 96;
    private const int GridTop = Margin + 96;
    private const int Pitch = 13;
    private const int CellSize = Pitch - 1;
    private const int Width = GridLeft + (ChangeMap.Columns * Pitch) + Margin;
    private const int Ink = 0x1f2933;
    private const int FaintInk = 0x616e7c;
    private const int Unchanged = 0xb8c4d0;
    private const int Hole = 0xeef1f4;
    private const int ZeroedColor = 0x5e4fa2;

    /// <summary>The steps of the scale: up to this share of a cell's blocks, this colour.</summary>
    private static readonly (double Share, int Color, string Name)[] Steps =
    [
        (0.01, 0xfddc9c, "changed to 1%"),
        (0.10, 0xfdae61, "10%"),
        (0.50, 0xf0643c, "50%"),
        (1.00, 0xb30021, "100%"),
    ];

    /// <summary>Draws the page.</summary>
    /// <param name="map">The cells.</param>
    /// <param name="result">The figures.</param>
    /// <param name="baseName">The base's name, for the title.</param>
    /// <param name="imageName">The image's name, for the title.</param>
    public static Drawing Draw(ChangeMap map, ComparisonResult result, string baseName, string imageName)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(result);
        var boxes = new List<Box>();
        var labels = new List<Label>();
        Heading(result, baseName, imageName, labels);
        int rows = Math.Max(1, (map.Cells.Count + ChangeMap.Columns - 1) / ChangeMap.Columns);
        Grid(map, rows, boxes, labels);
        int legendTop = GridTop + (rows * Pitch) + 20;
        Legend(map, legendTop, boxes, labels);
        return new Drawing(Width, legendTop + 60 + Margin, boxes, labels);
    }

    private static void Heading(ComparisonResult result, string baseName, string imageName, List<Label> labels)
    {
        string arrow = " > ";
        int room = ((Width - (2 * Margin)) / 18) - "Changes: ".Length - arrow.Length;
        string old = Short(baseName, Math.Max(room / 2, room - Path.GetFileName(imageName).Length));
        string title = "Changes: " + old + arrow + Short(imageName, room - old.Length);
        labels.Add(new Label(Margin, Margin, title, 3, Ink));
        string share = result.Geometry.BlockCount == 0
            ? "0%"
            : (100.0 * result.ChangedBlocks / result.Geometry.BlockCount).ToString("0.##", CultureInfo.InvariantCulture) + "%";
        string figures = string.Create(
            CultureInfo.InvariantCulture,
            $"{result.ChangedBlocks:N0} of {result.Geometry.BlockCount:N0} blocks of {ByteSize.FormatExact(result.Geometry.Granularity)} changed ({share}), {ByteSize.Format(result.ChangedBytes)} in {result.ChangedExtents:N0} extents");
        labels.Add(new Label(Margin, Margin + 36, figures, 2, FaintInk));
    }

    private static void Grid(ChangeMap map, int rows, List<Box> boxes, List<Label> labels)
    {
        long cellBytes = map.BlocksPerCell * map.Geometry.Granularity;
        int labelEvery = rows > 8 ? 4 : rows > 2 ? 2 : 1;
        for (int row = 0; row < rows; row += labelEvery)
        {
            string offset = row == 0 ? "0" : Size(row * ChangeMap.Columns * cellBytes);
            labels.Add(new Label(GridLeft - 10, GridTop + (row * Pitch) - 1, offset, 2, FaintInk, RightAligned: true));
        }

        for (int column = 0; column < ChangeMap.Columns; column += 16)
        {
            int x = GridLeft + (column * Pitch);
            labels.Add(new Label(x, GridTop - 22, "+" + (column == 0 ? "0" : Size(column * cellBytes)), 2, FaintInk));
            boxes.Add(new Box(x, GridTop - 5, 1, 4, FaintInk));
        }

        for (int i = 0; i < map.Cells.Count; i++)
        {
            int x = GridLeft + (i % ChangeMap.Columns * Pitch);
            int y = GridTop + (i / ChangeMap.Columns * Pitch);
            ChangeCell cell = map.Cells[i];
            string tip = string.Create(
                CultureInfo.InvariantCulture,
                $"offset {ByteSize.Format(i * cellBytes)}: {cell.Changed + cell.Zeroed:N0} of {cell.Holes + cell.Same + cell.Changed + cell.Zeroed:N0} blocks changed");
            boxes.Add(new Box(x, y, CellSize, CellSize, ColorOf(cell), cell.ChangedShare > 0 ? tip : null));
        }
    }

    private static void Legend(ChangeMap map, int top, List<Box> boxes, List<Label> labels)
    {
        int x = Margin;
        Key(ref x, top, Hole, "unallocated", boxes, labels);
        Key(ref x, top, Unchanged, "unchanged", boxes, labels);
        foreach ((double _, int color, string name) in Steps)
        {
            Key(ref x, top, color, name, boxes, labels);
        }

        Key(ref x, top, ZeroedColor, "zeroed", boxes, labels);
        string cells = map.BlocksPerCell == 1
            ? "A cell is one block of " + Size(map.Geometry.Granularity)
            : string.Create(
                CultureInfo.InvariantCulture,
                $"A cell is {Size(map.BlocksPerCell * map.Geometry.Granularity)} ({map.BlocksPerCell:N0} blocks)");
        string length = $"; a row is {Size(ChangeMap.Columns * map.BlocksPerCell * map.Geometry.Granularity)}";
        labels.Add(new Label(
            Margin, top + 32, cells + length + $"; the image is {Size(map.Geometry.Length)}", 2, FaintInk));
    }

    private static void Key(ref int x, int top, int color, string text, List<Box> boxes, List<Label> labels)
    {
        boxes.Add(new Box(x, top, CellSize + 2, CellSize + 2, color));
        labels.Add(new Label(x + 22, top, text, 2, Ink));
        x += 22 + (text.Length * 12) + 20;
    }

    private static int ColorOf(ChangeCell cell)
    {
        double share = cell.ChangedShare;
        if (share <= 0)
        {
            return cell.Same > 0 ? Unchanged : Hole;
        }

        if (cell.Zeroed > cell.Changed)
        {
            return ZeroedColor;
        }

        foreach ((double most, int color, string _) in Steps)
        {
            if (share <= most)
            {
                return color;
            }
        }

        return Steps[^1].Color;
    }

    /// <summary>A size that is mostly a round one: "2 MiB" rather than "2.00 MiB".</summary>
    private static string Size(long bytes) => ByteSize.Format(bytes)
        .Replace(".00 ", " ", StringComparison.Ordinal)
        .Replace(".0 ", " ", StringComparison.Ordinal);

    private static string Short(string name, int room)
    {
        string file = Path.GetFileName(name);
        return file.Length <= room ? file : string.Concat(file.AsSpan(0, (room / 2) - 2), "...", file.AsSpan(file.Length - (room / 2) + 2));
    }
}
