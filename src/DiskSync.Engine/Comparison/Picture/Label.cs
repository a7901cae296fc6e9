namespace DiskSync.Engine.Comparison.Picture;

/// <summary>A line of text.</summary>
/// <param name="X">Where it begins, or ends where <paramref name="RightAligned"/>; pixels.</param>
/// <param name="Y">The upper edge of its capital letters; pixels.</param>
/// <param name="Text">What it says.</param>
/// <param name="Scale">Capital letters are 7 times this high, and each takes 6 times this in width (PNG).</param>
/// <param name="Color">0xRRGGBB.</param>
/// <param name="RightAligned">Whether <paramref name="X"/> is the right end.</param>
public readonly record struct Label(int X, int Y, string Text, int Scale, int Color, bool RightAligned = false);
