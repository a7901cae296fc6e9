namespace DiskSync.Formats.ExportControl;

/// <summary>What was written since the export began, and how long it took.</summary>
/// <param name="Written">Bytes.</param>
/// <param name="Dirty">Bytes, in parts of 4 KiB, that were written since the borrower last took them.</param>
/// <param name="Latencies">How many took how long: 128 buckets a quarter of an octave wide, from 1 microsecond up.</param>
public sealed record Load(ulong Written, ulong Dirty, long[] Latencies) : ControlMessage
{
    /// <summary>The buckets of latencies.</summary>
    public const int Buckets = 128;
}
