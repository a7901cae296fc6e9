using System.CommandLine;
using DiskSync.Cli.Output;
using DiskSync.Engine.Progress;
using Microsoft.Extensions.Logging;

namespace DiskSync.Cli.Running;

/// <summary>What a command is handed to do its work with.</summary>
/// <param name="parse">The command line.</param>
/// <param name="output">Where results, warnings and errors go.</param>
/// <remarks>Owns the progress display and the logs, both made on first use; disposed by the runner.</remarks>
internal sealed class CommandContext(ParseResult parse, CommandOutput output) : IDisposable
{
    private ProgressDisplay? _progress;
    private ILoggerFactory? _loggers;

    /// <summary>The parsed command line: <c>context.Parse.GetValue(option)</c>.</summary>
    public ParseResult Parse => parse;

    /// <summary>Where results, warnings and errors go.</summary>
    public CommandOutput Output => output;

    /// <summary>The display that suits standard error: a live one, plain lines, JSON lines or nothing.</summary>
    public IProgressSink Progress
    {
        get
        {
            _progress ??= ProgressDisplay.Create(output);
            return _progress is null ? NoProgress.Instance : _progress;
        }
    }

    /// <summary>Structured logs on standard error: everything with <c>--verbose</c>, else nothing below a warning.</summary>
    public ILoggerFactory Loggers => _loggers ??= StderrLoggerProvider.CreateFactory(output);

    /// <summary>Takes the live display off the terminal, so that what follows is not drawn over.</summary>
    public void EndProgress()
    {
        _progress?.Dispose();
        _progress = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        EndProgress();
        _loggers?.Dispose();
    }
}
