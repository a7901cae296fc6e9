namespace DiskSync.Cli.Output;

/// <summary>One peer in what <c>disksync trust</c> prints.</summary>
/// <param name="Name">The host, or HOST:PORT.</param>
/// <param name="Fingerprint">Its key.</param>
/// <param name="AdmitsSource">Whether it may come as a source.</param>
internal sealed record TrustedPeer(string Name, string Fingerprint, bool AdmitsSource);
