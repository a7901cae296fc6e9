using System.Globalization;

namespace DiskSync.Linux;

/// <summary>A device's number; not stable over restarts.</summary>
/// <param name="Major">The driver.</param>
/// <param name="Minor">The device of that driver.</param>
public readonly record struct DeviceNumber(uint Major, uint Minor)
{
    /// <summary>The number as our records keep it: the driver in the upper half.</summary>
    public ulong Value => ((ulong)Major << 32) | Minor;

    /// <summary>The number as /proc and /sys write it: "7:3".</summary>
    public override string ToString() => $"{Major}:{Minor}";

    /// <summary>Reads a number as /proc and /sys write it.</summary>
    internal static bool TryParse(string text, out DeviceNumber number)
    {
        string[] parts = text.Split(':');
        number = default;
        if (parts.Length != 2
            || !uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint major)
            || !uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint minor))
        {
            return false;
        }

        number = new DeviceNumber(major, minor);
        return true;
    }
}
