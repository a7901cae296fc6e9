using System.Collections.Concurrent;
using DiskSync.Engine.Progress;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DiskSync.Cli.Output;

/// <summary>The live display: one row a phase with bar, share, rate, remaining time and figures.</summary>
/// <remarks>The only class that knows Spectre.Console's live rendering; nothing of it is loaded before the first row.</remarks>
internal sealed class TerminalProgressDisplay(CommandOutput output)
    : ProgressDisplay(TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(0.1))
{
    private readonly ConcurrentDictionary<int, string> _figures = new();
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IAnsiConsole? _console;
    private ProgressContext? _context;
    private ProgressTask? _row;
    private Task _drawing = Task.CompletedTask;

    /// <inheritdoc/>
    public override bool TryWriteAbove(string line)
    {
        if (_console is null)
        {
            return false;
        }

        _console.WriteLine(line);
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
            if (_row is not null)
            {
                _row.Value = _row.MaxValue;
                _row.StopTask();
            }

            _row = _context!.AddTask(Markup.Escape(PhaseNames.Text(progress)));
        }

        _row!.IsIndeterminate = progress.BytesTotal <= 0;
        _row.MaxValue = Math.Max(1, progress.BytesTotal);
        _row.Value = progress.BytesDone;
        _figures[_row.Id] = ProgressText.Line(progress, rate, secondsLeft);
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
        _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output.Error) });
        using var ready = new ManualResetEventSlim();
        _drawing = Task.Run(() => _console.Progress()
            .AutoClear(enabled: true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn { Width = 30 },
                new FiguresColumn(_figures))
            .StartAsync(async context =>
            {
                _context = context;
                ready.Set();
                await _end.Task.ConfigureAwait(false);
            }));
        ready.Wait();
        output.SetLive(this);
    }

    private sealed class FiguresColumn(ConcurrentDictionary<int, string> figures) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(figures.GetValueOrDefault(task.Id, string.Empty)) { Overflow = Overflow.Ellipsis };
    }
}
