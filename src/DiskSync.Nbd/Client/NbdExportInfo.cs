using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Client;

/// <summary>What was agreed on about an export. All of it has been checked.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="Flags">What the export can do.</param>
/// <param name="MinimumBlock">What offsets and lengths have to be multiples of: a power of two, at most 64 KiB. Only a range that ends at the end may be odd.</param>
/// <param name="PreferredBlock">What they had better be multiples of; a power of two.</param>
/// <param name="MaximumPayload">Bytes of the longest read or write that goes in one request; longer ones are cut up.</param>
/// <param name="Description">The server's text for humans, or nothing; without control characters.</param>
/// <param name="StatusKinds">Those of the kinds of block status asked for that the server has.</param>
/// <param name="IsStructured">Whether replies come in chunks.</param>
/// <param name="IsTls">Whether the connection is encrypted.</param>
public sealed record NbdExportInfo(
    long Length,
    NbdTransmissionFlags Flags,
    int MinimumBlock,
    int PreferredBlock,
    int MaximumPayload,
    string Description,
    IReadOnlyList<string> StatusKinds,
    bool IsStructured,
    bool IsTls)
{
    /// <summary>Whether it cannot be written.</summary>
    public bool IsReadOnly => Flags.HasFlag(NbdTransmissionFlags.ReadOnly);

    /// <summary>Whether it can be flushed. Where it cannot, nothing that is written can be known to be durable.</summary>
    public bool CanFlush => Flags.HasFlag(NbdTransmissionFlags.SendFlush);

    /// <summary>Whether a write can be durable when it is answered.</summary>
    public bool CanFua => Flags.HasFlag(NbdTransmissionFlags.SendFua);

    /// <summary>Whether zeros can be made without sending them.</summary>
    public bool CanZero => Flags.HasFlag(NbdTransmissionFlags.SendWriteZeroes);

    /// <summary>Whether the server says at once where zeros would be no faster than data.</summary>
    public bool CanZeroFast => Flags.HasFlag(NbdTransmissionFlags.SendFastZero);

    /// <summary>Whether it can be told that a range is of no interest.</summary>
    public bool CanTrim => Flags.HasFlag(NbdTransmissionFlags.SendTrim);

    /// <summary>Whether it can be told to read ahead.</summary>
    public bool CanCache => Flags.HasFlag(NbdTransmissionFlags.SendCache);

    /// <summary>Whether what was answered on one connection is made durable by a flush on any other.</summary>
    public bool CanMultiConn => Flags.HasFlag(NbdTransmissionFlags.CanMultiConn);
}
