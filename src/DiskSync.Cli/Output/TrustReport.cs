namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync trust</c> prints.</summary>
/// <param name="File">The peers file.</param>
/// <param name="Message">What was done; empty for a list.</param>
/// <param name="Peers">Who is trusted now.</param>
internal sealed record TrustReport(string File, string Message, IReadOnlyList<TrustedPeer> Peers)
{
    /// <summary>Writes it for people.</summary>
    public void Write(TextWriter output)
    {
        if (Message.Length > 0)
        {
            output.WriteLine(Message);
            return;
        }

        if (Peers.Count == 0)
        {
            output.WriteLine("nobody is trusted");
        }

        foreach (TrustedPeer peer in Peers)
        {
            output.WriteLine($"{peer.Fingerprint}  {peer.Name}{(peer.AdmitsSource ? string.Empty : " (as a receiver alone)")}");
        }
    }
}
