using DiskSync.Engine.Peers;

namespace DiskSync.Engine.Transports;

/// <summary>What a source needs to reach a receiver over TLS.</summary>
/// <param name="Key">This host's key.</param>
/// <param name="Peers">Whom it trusts.</param>
/// <param name="TrustNew">Records a receiver that is not known yet instead of refusing it; one with a changed key is refused all the same.</param>
/// <param name="Tell">Told when a receiver was recorded so.</param>
public sealed record TlsCredentials(HostKey Key, PeerStore Peers, bool TrustNew, Action<string> Tell);
