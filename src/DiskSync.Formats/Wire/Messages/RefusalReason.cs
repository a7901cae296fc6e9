namespace DiskSync.Formats.Wire.Messages;

/// <summary>Why a block was not written.</summary>
public enum RefusalReason : byte
{
    /// <summary>The patched block does not have the hash it should.</summary>
    PatchMismatch = 1,

    /// <summary>The copied block does not have the hash it should.</summary>
    CopyMismatch = 2,

    /// <summary>The content is in no other image any more.</summary>
    SeedMismatch = 3,
}
