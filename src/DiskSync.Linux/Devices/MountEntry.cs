namespace DiskSync.Linux;

/// <summary>A line of /proc/self/mountinfo.</summary>
/// <param name="Device">The device number that files of it report; of btrfs not that of any block device.</param>
/// <param name="Point">Where it is mounted.</param>
/// <param name="Source">What is mounted: a device's path, or a word.</param>
internal readonly record struct MountEntry(DeviceNumber Device, string Point, string Source)
{
    /// <summary>Reads lines; those that are none of a mount are passed over.</summary>
    internal static IEnumerable<MountEntry> Parse(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            // 36 35 98:0 /root /mount/point options [optional fields...] - type source super-options
            string[] fields = line.Split(' ');
            int dash = Array.IndexOf(fields, "-", Math.Min(6, fields.Length));
            if (dash > 0 && dash + 2 < fields.Length && DeviceNumber.TryParse(fields[2], out DeviceNumber device))
            {
                yield return new MountEntry(device, Unescape(fields[4]), Unescape(fields[dash + 2]));
            }
        }
    }

    /// <summary>Undoes the kernel's octal escapes: "\040" is a space.</summary>
    internal static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        // The escapes stand for bytes, the rest for characters, so both go through UTF-8.
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\\' && i + 3 < bytes.Length && IsOctal(bytes[i + 1], bytes[i + 2], bytes[i + 3]))
            {
                bytes[length++] = (byte)(((bytes[i + 1] - '0') << 6) | ((bytes[i + 2] - '0') << 3) | (bytes[i + 3] - '0'));
                i += 3;
            }
            else
            {
                bytes[length++] = bytes[i];
            }
        }

        return System.Text.Encoding.UTF8.GetString(bytes, 0, length);
    }

    private static bool IsOctal(byte a, byte b, byte c) =>
        a is >= (byte)'0' and <= (byte)'3' && b is >= (byte)'0' and <= (byte)'7' && c is >= (byte)'0' and <= (byte)'7';
}
