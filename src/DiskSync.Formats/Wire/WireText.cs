using System.Text;

namespace DiskSync.Formats.Wire;

/// <summary>Text in our formats: strict UTF-8, at most <see cref="WireLimits.MaxText"/> bytes.</summary>
/// <remarks>Thread safe. Control characters are let through: whoever prints a peer's text escapes it.</remarks>
public static class WireText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether a text can be carried as it is.</summary>
    public static bool IsValid(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            return Strict.GetByteCount(text) <= WireLimits.MaxText;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    /// <summary>Shortens a text so that it can be carried; a half surrogate pair becomes U+FFFD.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="fromEnd">Keep the end rather than the beginning, as for a command's output.</param>
    /// <returns>The same text where it fits; never cut inside a code point.</returns>
    public static string Clip(string text, bool fromEnd = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (IsValid(text))
        {
            return text;
        }

        // The replacing encoder first: it turns half pairs into U+FFFD, after which every cut on a lead byte is clean.
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length <= WireLimits.MaxText)
        {
            return Encoding.UTF8.GetString(bytes);
        }

        int cut = fromEnd ? bytes.Length - WireLimits.MaxText : WireLimits.MaxText;
        while (IsContinuation(bytes[cut]))
        {
            cut += fromEnd ? 1 : -1;
        }

        return fromEnd ? Encoding.UTF8.GetString(bytes, cut, bytes.Length - cut) : Encoding.UTF8.GetString(bytes, 0, cut);
    }

    /// <summary>The bytes of a text.</summary>
    /// <exception cref="ArgumentException">The text is not Unicode.</exception>
    internal static byte[] Encode(string text) => Strict.GetBytes(text);

    /// <summary>The text of some bytes.</summary>
    /// <returns>False where they are not UTF-8.</returns>
    internal static bool TryDecode(ReadOnlySpan<byte> bytes, out string text)
    {
        if (!System.Text.Unicode.Utf8.IsValid(bytes))
        {
            text = "";
            return false;
        }

        text = Strict.GetString(bytes);
        return true;
    }

    private static bool IsContinuation(byte value) => (value & 0xC0) == 0x80;
}
