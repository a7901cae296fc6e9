using System.Globalization;

namespace DiskSync.Engine;

/// <summary>Reads and writes sizes as people write them: <c>64K</c>, <c>50M</c>, <c>4GiB</c>, <c>1.5TB</c>.</summary>
/// <remarks>
/// Units as in GNU coreutils: a bare letter (K M G T P) and the forms in -iB are powers of 1024, those in -B
/// (KB MB GB TB PB) are powers of 1000; no unit, or B, is bytes. Case does not matter, a space before the unit is
/// allowed, a fraction is allowed where the result is a whole number of bytes. Never negative. Thread safe.
/// </remarks>
public static class ByteSize
{
    private const string Letters = "KMGTP";

    /// <summary>The units in words, for help texts and messages.</summary>
    public const string Units = "K M G T (or KiB MiB GiB TiB) are powers of 1024, KB MB GB TB powers of 1000";

    /// <summary>Reads a size.</summary>
    /// <returns>False where the text is not a size, is negative, or does not fit 63 bits.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out long bytes)
    {
        bytes = 0;
        text = text.Trim();
        int digits = 0;
        while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] == '.'))
        {
            digits++;
        }

        if (digits == 0
            || !decimal.TryParse(
                text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            || !TryUnit(text[digits..].TrimStart(), out long unit)
            || number > long.MaxValue / (decimal)unit)
        {
            return false;
        }

        decimal product = number * unit;
        if (product != decimal.Truncate(product) || product > long.MaxValue)
        {
            return false;
        }

        bytes = (long)product;
        return true;
    }

    /// <summary>A size for people, three significant digits: <c>512 B</c>, <c>1.50 MiB</c>, <c>12.3 GiB</c>.</summary>
    public static string Format(double bytes)
    {
        int unit = -1;
        double value = Math.Abs(bytes);
        while (value >= 999.5 && unit < Letters.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        if (unit < 0)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{bytes:0} B");
        }

        string digits = value < 9.995 ? "0.00" : value < 99.95 ? "0.0" : "0";
        string sign = bytes < 0 ? "-" : string.Empty;
        return sign + value.ToString(digits, CultureInfo.InvariantCulture) + " " + Letters[unit] + "iB";
    }

    /// <summary>A size as it would be typed: the largest binary unit that divides it, <c>64K</c>, <c>3M</c>, else bytes.</summary>
    public static string FormatExact(long bytes)
    {
        int unit = -1;
        while (bytes != 0 && bytes % 1024 == 0 && unit < Letters.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(CultureInfo.InvariantCulture) + (unit < 0 ? string.Empty : Letters[unit].ToString());
    }

    private static bool TryUnit(ReadOnlySpan<char> unit, out long factor)
    {
        factor = 1;
        if (unit.IsEmpty || unit.Equals("B", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        int power = Letters.IndexOf(char.ToUpperInvariant(unit[0]), StringComparison.Ordinal) + 1;
        ReadOnlySpan<char> rest = unit[1..];
        bool binary = rest.IsEmpty || rest.Equals("iB", StringComparison.OrdinalIgnoreCase);
        if (power == 0 || !(binary || rest.Equals("B", StringComparison.OrdinalIgnoreCase)))
        {
            return false;
        }

        for (int i = 0; i < power; i++)
        {
            factor *= binary ? 1024 : 1000;
        }

        return true;
    }
}
