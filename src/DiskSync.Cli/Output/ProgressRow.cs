using Spectre.Console;
using Spectre.Console.Rendering;

namespace DiskSync.Cli.Output;

/// <summary>One phase of the live display, laid out for the terminal's width: one line where that fits, else the details below.</summary>
/// <remarks>
/// Laid out here and not by a table of Spectre.Console, which in a narrow terminal gives up the bar and wraps words
/// wherever they are.
/// </remarks>
/// <param name="Name">The phase in words.</param>
/// <param name="Fraction">How much of it is done, 0 to 1; null where nobody knows, and then there is no bar.</param>
/// <param name="Figures">Share, rate and remaining time.</param>
/// <param name="Details">Dirty blocks, bytes sent and ratio; may be empty.</param>
internal sealed record ProgressRow(string Name, double? Fraction, string Figures, string Details)
{
    private const int LongestBar = 30;
    private const int ShortestBar = 4;

    /// <summary>The row's lines, each at most as wide as asked for, with a line break after each.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="unicode">Whether the terminal shows more than ASCII.</param>
    public IEnumerable<Segment> Lines(int width, bool unicode)
    {
        string all = Details.Length == 0 ? Figures : $"{Figures}, {Details}";
        int barBesides = Fraction is null ? 0 : ShortestBar + 1;
        bool oneLine = Name.Length + 1 + barBesides + all.Length <= width;
        string text = oneLine ? all : Figures;
        yield return new Segment(Cut(Name + " ", width));
        int bar = Math.Min(LongestBar, width - Name.Length - text.Length - 2);
        if (Fraction is { } fraction && bar >= ShortestBar)
        {
            int done = (int)Math.Round(Math.Clamp(fraction, 0, 1) * bar);
            yield return new Segment(new string(unicode ? '━' : '=', done), new Style(Color.Green));
            yield return new Segment(new string(unicode ? '─' : '-', bar - done) + " ", new Style(Color.Grey));
        }

        yield return new Segment(Cut(text, width - Name.Length - 1));
        yield return Segment.LineBreak;
        if (!oneLine && Details.Length > 0)
        {
            yield return new Segment(Cut("  " + Details, width));
            yield return Segment.LineBreak;
        }
    }

    private static string Cut(string text, int width) =>
        text.Length <= width ? text : text[..Math.Max(0, width)];
}
