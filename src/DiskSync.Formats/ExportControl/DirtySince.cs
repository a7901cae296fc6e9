namespace DiskSync.Formats.ExportControl;

/// <summary>From when on dirty parts are asked for.</summary>
public enum DirtySince : byte
{
    /// <summary>Since they were last taken on this connection, or since the image was lent; they are clean afterwards.</summary>
    LastTaken = 1,

    /// <summary>Since the baseline that <see cref="Lent"/> names; they stay dirty.</summary>
    Baseline = 2,
}
