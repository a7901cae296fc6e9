namespace DiskSync.Nbd.Wire;

/// <summary>Block status of a part of a range.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="Flags">What the kind of block status means by it; <see cref="NbdExtentFlags"/> for base:allocation.</param>
public readonly record struct NbdExtent(long Length, uint Flags);
