namespace DiskSync.Formats.Peers;

/// <summary>One line of the peers file: who is trusted to have which key.</summary>
/// <param name="Name">The host, or one receiver of it.</param>
/// <param name="Fingerprint">Its key.</param>
public sealed record PeerEntry(PeerName Name, Fingerprint Fingerprint)
{
    /// <summary>Whether the one who has this key may come as a source: an entry with a port only says who answers there.</summary>
    public bool AdmitsSources => Name.Port is null;
}
