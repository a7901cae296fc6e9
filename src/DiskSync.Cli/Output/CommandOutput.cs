using System.Text;
using System.Text.Json.Serialization.Metadata;
using DiskSync.Cli.Running;

namespace DiskSync.Cli.Output;

/// <summary>Where a command's words go: results to standard output, everything else to standard error.</summary>
/// <remarks>
/// The modes: people (default), <see cref="Json"/>, <see cref="Quiet"/>. A command calls <see cref="Result"/> once and
/// gives both forms. Notes, warnings and errors may come from any thread; results only from the command's own.
/// </remarks>
internal sealed class CommandOutput : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private readonly Lock _gate = new();
    private readonly Stream _stream;
    private ProgressDisplay? _live;

    /// <summary>Writes to given streams, which it owns; the tests' constructor.</summary>
    public CommandOutput(Stream output, TextWriter error, bool errorIsTerminal)
    {
        _stream = output;
        Out = new StreamWriter(output, Utf8, 16 << 10);
        Error = error;
        ErrorIsTerminal = errorIsTerminal;
    }

    /// <summary>Standard output. Buffered; flushed by the runner.</summary>
    public TextWriter Out { get; }

    /// <summary>Standard error.</summary>
    public TextWriter Error { get; }

    /// <summary>Whether standard error is a terminal, so that a live display makes sense.</summary>
    public bool ErrorIsTerminal { get; }

    /// <summary><c>--json</c>: one object on standard output, JSON lines on standard error.</summary>
    public bool Json { get; set; }

    /// <summary><c>--quiet</c>: errors only.</summary>
    public bool Quiet { get; set; }

    /// <summary><c>--verbose</c>: logs on standard error.</summary>
    public bool Verbose { get; set; }

    /// <summary>The process's own streams.</summary>
    public static CommandOutput OfProcess()
    {
#pragma warning disable CA2000 // Owned by the CommandOutput, which disposes both.
        var output = new StandardOutput(Console.OpenStandardOutput());
        var error = new StreamWriter(Console.OpenStandardError(), Utf8, 1 << 10) { AutoFlush = true };
        return new CommandOutput(output, error, !Console.IsErrorRedirected);
#pragma warning restore CA2000
    }

    /// <summary>Prints the command's result: the object with <c>--json</c>, else the text unless <c>--quiet</c>.</summary>
    /// <param name="value">The documented object.</param>
    /// <param name="type">Names its source-generated type: <c>json => json.X</c>; made only where it is asked for, as making it takes longer than many a command.</param>
    /// <param name="text">Writes the form for people.</param>
    public void Result<T>(T value, Func<CliJson, JsonTypeInfo<T>> type, Action<TextWriter> text)
    {
        if (Json)
        {
            Out.Flush();
            CliJson.Write(_stream, value, type(CliJson.Default));
            Out.WriteLine();
        }
        else if (!Quiet)
        {
            text(Out);
        }
    }

    /// <summary>Something worth knowing that is not the result.</summary>
    public void Note(string message) => Event("note", message);

    /// <summary>Something the user should look at although the command goes on.</summary>
    public void Warning(string message) => Event("warning", message);

    /// <summary>A warning that <c>--quiet</c> does not silence: something that can cost the user more than a look.</summary>
    public void Alarm(string message) => Event("warning", message, evenQuiet: true);

    /// <summary>Reports why the command failed.</summary>
    /// <returns>The exit code, as given.</returns>
    public int Failure(int code, string message, string advice)
    {
        try
        {
            Flush();
        }
        catch (Engine.DiskSyncException)
        {
            // Standard output is what failed; standard error says so below.
        }

        if (Json)
        {
            var error = new ErrorEvent(ExitCodes.NameOf(code), code, message, advice.Length == 0 ? null : advice);
            ErrorLine(CliJson.Line(error, CliJson.Default.ErrorEvent));
        }
        else
        {
            ErrorLine($"disksync: {message}");
            if (advice.Length > 0)
            {
                ErrorLine($"  {advice}");
            }
        }

        return code;
    }

    /// <summary>Passes on what the other side's program (ssh, the receiver behind it) wrote to its standard error.</summary>
    /// <remarks>Not with <c>--quiet</c>: where it is why the command failed, the error has it.</remarks>
    public void PeerLine(string line)
    {
        if (!Quiet)
        {
            ErrorLine(Json ? CliJson.Line(new MessageEvent("peer", line), CliJson.Default.MessageEvent) : line);
        }
    }

    /// <summary>Writes a line to standard error, above the live display where one is drawn.</summary>
    public void ErrorLine(string line)
    {
        lock (_gate)
        {
            if (_live is null || !_live.TryWriteAbove(line))
            {
                Error.WriteLine(line);
            }
        }
    }

    /// <summary>Tells which display is drawn, so that lines are written above it; null when it is gone.</summary>
    public void SetLive(ProgressDisplay? display)
    {
        lock (_gate)
        {
            _live = display;
        }
    }

    /// <summary>Writes what is buffered.</summary>
    public void Flush() => Out.Flush();

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Out.Dispose();
        }
        catch (Engine.DiskSyncException)
        {
            // Reported when it was flushed.
        }

        Error.Dispose();
    }

    private void Event(string kind, string message, bool evenQuiet = false)
    {
        if (Quiet && !evenQuiet)
        {
            return;
        }

        ErrorLine(Json
            ? CliJson.Line(new MessageEvent(kind, message), CliJson.Default.MessageEvent)
            : kind == "warning" ? $"disksync: warning: {message}" : $"disksync: {message}");
    }
}
