using Spectre.Console.Rendering;

namespace DiskSync.Cli.Output;

/// <summary>The rows of the live display: the phases that are done, the oldest ones left out, and the one that is under way.</summary>
/// <remarks>Thread safe: set by the timer's thread, drawn by Spectre.Console's.</remarks>
internal sealed class ProgressRows : IRenderable
{
    // A migration of many rounds and images must not push the row that moves off the screen.
    private const int MaxDone = 4;

    private readonly Lock _lock = new();
    private readonly Queue<ProgressRow> _done = new();
    private ProgressRow? _now;

    /// <summary>Replaces the row that is under way.</summary>
    public void Set(ProgressRow row)
    {
        lock (_lock)
        {
            _now = row;
        }
    }

    /// <summary>Marks the row that is under way as done, if there is one.</summary>
    public void Finish()
    {
        lock (_lock)
        {
            if (_now is null)
            {
                return;
            }

            _done.Enqueue(_now with { Fraction = _now.Fraction is null ? null : 1, Figures = "done" });
            if (_done.Count > MaxDone)
            {
                _done.Dequeue();
            }
        }
    }

    /// <inheritdoc/>
    public Measurement Measure(RenderOptions options, int maxWidth) => new(maxWidth, maxWidth);

    /// <inheritdoc/>
    public IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        ProgressRow[] rows;
        lock (_lock)
        {
            rows = _now is null ? [.. _done] : [.. _done, _now];
        }

        return rows.SelectMany(row => row.Lines(maxWidth, options.Unicode));
    }
}
