namespace DiskSync.Nbd.Wire;

/// <summary>What an NBD_REP_INFO tells (NBD_INFO_*).</summary>
public enum NbdInfoType : ushort
{
    /// <summary>Length and transmission flags.</summary>
    Export = 0,

    /// <summary>The name by which the server knows the export.</summary>
    Name = 1,

    /// <summary>A text for humans.</summary>
    Description = 2,

    /// <summary>The least, the preferred and the greatest size of a request.</summary>
    BlockSize = 3,
}
