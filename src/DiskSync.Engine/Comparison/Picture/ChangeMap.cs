using System.Numerics;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison.Picture;

/// <summary>Gathers what a picture of the changes shows: a few thousand cells, whatever the image's length.</summary>
/// <remarks>
/// Feed it every run (<see cref="ComparisonOptions.OnRun"/>), then draw with <see cref="ChangeMapDrawing"/>. A cell
/// is a power of two of blocks, so that rows begin at round offsets. Not thread safe.
/// </remarks>
public sealed class ChangeMap
{
    /// <summary>Cells of a row.</summary>
    public const int Columns = 64;

    private const int MaxRows = 32;
    private readonly ChangeCell[] _cells;

    /// <summary>Makes the cells.</summary>
    /// <param name="geometry">The image's geometry.</param>
    public ChangeMap(BlockGeometry geometry)
    {
        Geometry = geometry;
        long least = (geometry.BlockCount + (Columns * MaxRows) - 1) / (Columns * MaxRows);
        BlocksPerCell = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(1, least));
        _cells = new ChangeCell[(geometry.BlockCount + BlocksPerCell - 1) / BlocksPerCell];
    }

    /// <summary>The image's geometry.</summary>
    public BlockGeometry Geometry { get; }

    /// <summary>How many blocks a cell stands for; the last one may stand for fewer.</summary>
    public long BlocksPerCell { get; }

    /// <summary>The cells, row by row.</summary>
    public IReadOnlyList<ChangeCell> Cells => _cells;

    /// <summary>Counts a run.</summary>
    public void Add(StateRun run)
    {
        long block = run.First;
        long end = run.First + run.Count;
        while (block < end)
        {
            long cell = block / BlocksPerCell;
            long count = Math.Min(end, (cell + 1) * BlocksPerCell) - block;
            _cells[cell] = _cells[cell].Plus(run.State, count);
            block += count;
        }
    }
}
