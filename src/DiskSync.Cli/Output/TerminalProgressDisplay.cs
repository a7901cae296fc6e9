using DiskSync.Engine.Progress;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DiskSync.Cli.Output;

/// <summary>The live display: one row a phase with bar, share, rate, remaining time and figures.</summary>
/// <remarks>The only class that knows Spectre.Console's live rendering; nothing of it is loaded before the first row.</remarks>
internal sealed class TerminalProgressDisplay(CommandOutput output)
    : ProgressDisplay(TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(0.1))
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IAnsiConsole? _console;
    private ProgressRows? _rows;
    private Task _drawing = Task.CompletedTask;

    /// <inheritdoc/>
    public override bool TryWriteAbove(string line)
    {
        if (_console is null)
        {
            return false;
        }

        _console.Write(new LineAbove(line));
        return true;
    }

    /// <inheritdoc/>
    protected override void Show(CopyProgress progress, double rate, double? secondsLeft, bool newPhase)
    {
        if (_console is null)
        {
            StartDrawing();
        }

        if (newPhase)
        {
            _rows!.Finish();
        }

        _rows!.Set(new ProgressRow(
            PhaseNames.Text(progress),
            progress.BytesTotal > 0 ? (double)progress.BytesDone / progress.BytesTotal : null,
            ProgressText.Figures(progress, rate, secondsLeft),
            ProgressText.Details(progress)));
    }

    /// <inheritdoc/>
    protected override void End()
    {
        output.SetLive(null);
        _end.TrySetResult();
        _drawing.GetAwaiter().GetResult();
        _console = null;
    }

    private void StartDrawing()
    {
        _rows = new ProgressRows();
        _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output.Error) });
        using var ready = new ManualResetEventSlim();
        _drawing = Task.Run(() => _console.Progress()
            .AutoClear(enabled: true)
            .Columns(new RowsColumn(_rows))
            .StartAsync(async context =>
            {
                // One task stands for all rows, which lay themselves out.
                context.AddTask("rows");
                ready.Set();
                await _end.Task.ConfigureAwait(false);
            }));
        ready.Wait();
        output.SetLive(this);
    }

    private sealed class RowsColumn(ProgressRows rows) : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => rows;
    }
}
