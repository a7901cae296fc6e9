namespace DiskSync.Engine.Replication;

/// <summary>What the destination holds of a block, as far as a patch could start from it.</summary>
internal enum PatchBasis
{
    /// <summary>Nothing that is known: the block travels whole.</summary>
    None,

    /// <summary>Zeros: which sub-blocks differ is plain without asking.</summary>
    Zeros,

    /// <summary>Content of which the source knows the hash, and asks for the sub-blocks' hashes.</summary>
    Content,
}
