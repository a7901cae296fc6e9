namespace DiskSync.Nbd.Wire;

/// <summary>The numbers by which NBD's messages are known. All fields of NBD are big-endian.</summary>
/// <remarks>Source: the NBD protocol, "Handshake phase", "Option negotiation", "Transmission phase" and "Values".</remarks>
public static class NbdMagic
{
    /// <summary>The first eight bytes of a server, "NBDMAGIC".</summary>
    public const ulong Init = 0x4e42444d41474943;

    /// <summary>The second eight bytes of a server and the first of each option, "IHAVEOPT".</summary>
    public const ulong Option = 0x49484156454f5054;

    /// <summary>The first of each reply to an option.</summary>
    public const ulong OptionReply = 0x0003e889045565a9;

    /// <summary>The first of each request.</summary>
    public const uint Request = 0x25609513;

    /// <summary>The first of each simple reply.</summary>
    public const uint SimpleReply = 0x67446698;

    /// <summary>The first of each chunk of a structured reply.</summary>
    public const uint StructuredReply = 0x668e33ef;
}
