using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Client;

/// <summary>One of a server's answers to an option.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Data">What it holds.</param>
internal readonly record struct NbdOptionReply(NbdOptionReplyType Type, byte[] Data)
{
    /// <summary>Whether the option was refused.</summary>
    public bool IsError => Type.HasFlag(NbdOptionReplyType.Error);
}
