namespace DiskSync.Engine.Comparison.Picture;

/// <summary>A picture of filled rectangles and lines of text, which SVG and PNG writers render alike.</summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Boxes">The rectangles, drawn first, in order.</param>
/// <param name="Labels">The texts, drawn over them.</param>
public sealed record Drawing(int Width, int Height, IReadOnlyList<Box> Boxes, IReadOnlyList<Label> Labels);
