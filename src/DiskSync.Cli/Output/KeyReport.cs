namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync keygen</c> prints.</summary>
/// <param name="Key">The private key's path.</param>
/// <param name="Certificate">The certificate's path.</param>
/// <param name="Fingerprint">What peers know this host by.</param>
/// <param name="TrustCommand">What to run on another host.</param>
internal sealed record KeyReport(string Key, string Certificate, string Fingerprint, string TrustCommand)
{
    /// <summary>Writes it for people.</summary>
    public void Write(TextWriter output)
    {
        output.WriteLine(Fingerprint);
        output.WriteLine($"  key             {Key}");
        output.WriteLine($"  certificate     {Certificate}");
        output.WriteLine($"  on other hosts  {TrustCommand}");
    }
}
