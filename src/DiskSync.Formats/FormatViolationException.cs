namespace DiskSync.Formats;

/// <summary>Bytes that break one of our formats: what every decoder of this project throws, and nothing else.</summary>
/// <remarks>
/// The message names the format, the byte offset, what was found and what was expected, so that it can be shown
/// as it is. It says nothing about sides, images or what to do next: whoever reads the bytes knows that and wraps
/// this exception (safety rule 12). Bugs of a caller are <see cref="ArgumentException"/> or
/// <see cref="InvalidOperationException"/>, never this.
/// </remarks>
public sealed class FormatViolationException : FormatException
{
    /// <summary>Describes a violation.</summary>
    /// <param name="format">The format and, where there is one, the part of it: "wire Hello", "delta header".</param>
    /// <param name="offset">Where, in bytes from the start of the file, record or stream that <paramref name="format"/> names.</param>
    /// <param name="found">What is there.</param>
    /// <param name="expected">What the format asks for.</param>
    public FormatViolationException(string format, long offset, string found, string expected)
        : base($"{format}, byte {offset}: found {found}, expected {expected}")
    {
        Format = format;
        Offset = offset;
    }

    /// <summary>The format and the part of it that was broken.</summary>
    public string Format { get; }

    /// <summary>Where, in bytes from the start of what <see cref="Format"/> names.</summary>
    public long Offset { get; }
}
