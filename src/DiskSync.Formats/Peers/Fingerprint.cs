using System.Security.Cryptography;

namespace DiskSync.Formats.Peers;

/// <summary>The name of a host's key: SHA-256 over the SubjectPublicKeyInfo of its certificate.</summary>
/// <remarks>
/// Of the public key and not of the whole certificate: nothing else in the certificate is believed, so one made anew
/// from the same key (another name, other dates) stays the same host. Written as ssh writes its fingerprints.
/// Immutable, compared by value. FORMAT.md, "Fingerprint".
/// </remarks>
public sealed record Fingerprint
{
    /// <summary>What a fingerprint begins with.</summary>
    public const string Prefix = "SHA256:";

    /// <summary>The length of a fingerprint in characters.</summary>
    public const int TextLength = 7 + 43;

    private Fingerprint(string text)
    {
        Text = text;
    }

    /// <summary>The fingerprint as people read it: "SHA256:" and 43 characters of base64 without padding.</summary>
    public string Text { get; }

    /// <summary>The fingerprint of a key.</summary>
    /// <param name="subjectPublicKeyInfo">The key as DER, RFC 5280 section 4.1.</param>
    public static Fingerprint Of(ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        new(Prefix + Convert.ToBase64String(SHA256.HashData(subjectPublicKeyInfo)).TrimEnd('='));

    /// <summary>Reads a fingerprint.</summary>
    /// <returns>Null where the text is none, or not in the one form that is written.</returns>
    public static Fingerprint? TryParse(ReadOnlySpan<char> text)
    {
        if (text.Length != TextLength || !text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        // The last character carries two bits that must be zero: one hash, one text.
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        return Convert.TryFromBase64String(string.Concat(text[Prefix.Length..], "="), hash, out int length)
            && length == hash.Length
            && text[Prefix.Length..].SequenceEqual(Convert.ToBase64String(hash).AsSpan().TrimEnd('='))
                ? new Fingerprint(text.ToString())
                : null;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
