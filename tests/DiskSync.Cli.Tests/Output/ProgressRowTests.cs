using DiskSync.Cli.Output;
using Spectre.Console.Rendering;

namespace DiskSync.Cli.Tests.Output;

/// <summary>The live display's rows at every width.</summary>
public sealed class ProgressRowTests
{
    private static readonly ProgressRow Row = new(
        "delta round 12", 0.5, "50% of 1.00 TiB, 9.14 MiB/s, 12 min 05 s left", "1,234,848 dirty blocks, 20.1 GiB sent, ratio 2.0");

    [Fact]
    public void A_wide_terminal_has_everything_on_one_line()
    {
        string line = Assert.Single(Lines(Row, 160));
        Assert.Equal($"delta round 12 {new string('━', 15)}{new string('─', 15)} {Row.Figures}, {Row.Details}", line);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(70)]
    public void A_narrow_terminal_keeps_the_bar_and_has_the_details_below(int width)
    {
        string[] lines = Lines(Row, width);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("delta round 12 ━", lines[0], StringComparison.Ordinal);
        Assert.EndsWith(Row.Figures, lines[0], StringComparison.Ordinal);
        Assert.Equal("  " + Row.Details, lines[1]);
    }

    [Fact]
    public void No_line_is_ever_wider_than_the_terminal()
    {
        for (int width = 1; width < 200; width++)
        {
            Assert.All(Lines(Row, width), line => Assert.True(line.Length <= width, $"{width}: {line}"));
            Assert.All(Lines(Row with { Fraction = null }, width), line => Assert.True(line.Length <= width, $"{width}: {line}"));
        }
    }

    [Fact]
    public void A_terminal_without_unicode_gets_ascii() => Assert.Contains("====----", Lines(Row, 160, unicode: false)[0], StringComparison.Ordinal);

    [Fact]
    public void What_has_no_known_end_has_no_bar() => Assert.Equal(
        ["preparing under way"], Lines(new ProgressRow("preparing", null, "under way", string.Empty), 80));

    private static string[] Lines(ProgressRow row, int width, bool unicode = true) => string.Concat(
        row.Lines(width, unicode).Select(segment => segment.IsLineBreak ? "\n" : segment.Text)).TrimEnd('\n').Split('\n');
}
