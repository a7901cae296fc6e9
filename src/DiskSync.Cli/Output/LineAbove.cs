using Spectre.Console.Rendering;

namespace DiskSync.Cli.Output;

/// <summary>A line that is written where the live display stood, which is drawn anew below it.</summary>
/// <remarks>What stood there is erased first; Spectre.Console only writes over it, so that the ends of longer lines would stay.</remarks>
/// <param name="line">The line, which may be longer than the terminal is wide.</param>
internal sealed class LineAbove(string line) : IRenderable
{
    private const string EraseBelow = "\u001b[0J";

    /// <inheritdoc/>
    public Measurement Measure(RenderOptions options, int maxWidth) => new(maxWidth, maxWidth);

    /// <inheritdoc/>
    public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
        [Segment.Control(EraseBelow), new Segment(line), Segment.LineBreak];
}
