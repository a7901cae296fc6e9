namespace DiskSync.Engine.Comparison.Picture;

/// <summary>A filled rectangle.</summary>
/// <param name="X">Left edge, pixels.</param>
/// <param name="Y">Upper edge, pixels.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Color">0xRRGGBB.</param>
/// <param name="Tip">What a viewer shows when the mouse rests on it (SVG only), or null.</param>
public readonly record struct Box(int X, int Y, int Width, int Height, int Color, string? Tip = null);
