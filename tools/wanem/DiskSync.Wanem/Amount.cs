using System.Globalization;

namespace DiskSync.Wanem;

/// <summary>Reads times, rates, shares and sizes as the command line has them, in the spelling of tc(8).</summary>
internal static class Amount
{
    /// <summary>A time: 25ms, 100us, 1.5s, or 0; in nanoseconds, at most an hour.</summary>
    public static bool TryTime(string text, out long nanoseconds) =>
        TryScaled(text, [("ms", 1e6), ("us", 1e3), ("ns", 1), ("s", 1e9)], 3.6e12, out nanoseconds);

    /// <summary>A rate: 100mbit, 5.5mbit, 1gbit, 64kbit, or 0; in bits a second.</summary>
    public static bool TryRate(string text, out long bits) =>
        TryScaled(text, [("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9), ("bit", 1)], 1e12, out bits);

    /// <summary>A size: 625000, 64k or 1m (of 1024); in bytes.</summary>
    public static bool TryBytes(string text, out long bytes) =>
        TryScaled(text, [("k", 1024), ("m", 1 << 20), ("g", 1 << 30), ("", 1)], 1e12, out bytes);

    /// <summary>A share: 0.1%, or 0.001; from 0 to 1.</summary>
    public static bool TryShare(string text, out double share)
    {
        bool percent = text.EndsWith('%');
        bool read = TryNumber(percent ? text.AsSpan(0, text.Length - 1) : text, out share);
        share /= percent ? 100 : 1;
        return read && share is >= 0 and <= 1;
    }

    private static bool TryScaled(string text, (string Unit, double Factor)[] units, double most, out long value)
    {
        value = 0;
        if (text == "0")
        {
            return true;
        }

        foreach ((string unit, double factor) in units)
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase)
                && TryNumber(text.AsSpan(0, text.Length - unit.Length), out double number)
                && number * factor <= most)
            {
                value = (long)Math.Round(number * factor);
                return true;
            }
        }

        return false;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out double number) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
}
