using System.Globalization;

namespace DiskSync.Linux;

/// <summary>How long the machine's processes have waited for disks: /proc/pressure/io.</summary>
/// <remarks>Documentation/accounting/psi.rst. Missing in kernels that were built or started without it.</remarks>
public static class PressureStall
{
    private const string File = "/proc/pressure/io";

    /// <summary>For how long, since the machine started, at least one process waited for a disk; null where nobody counts.</summary>
    public static TimeSpan? Io()
    {
        try
        {
            return Parse(System.IO.File.ReadAllText(File));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads the file's text: "some avg10=0.00 avg60=0.00 avg300=0.00 total=MICROSECONDS".</summary>
    internal static TimeSpan? Parse(string text)
    {
        const string Total = "total=";
        string? some = text.Split('\n').FirstOrDefault(line => line.StartsWith("some ", StringComparison.Ordinal));
        string? total = some?.Split(' ').FirstOrDefault(field => field.StartsWith(Total, StringComparison.Ordinal));
        return total is not null
            && long.TryParse(total.AsSpan(Total.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds)
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;
    }
}
