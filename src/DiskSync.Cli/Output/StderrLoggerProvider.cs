using System.Globalization;
using Microsoft.Extensions.Logging;

namespace DiskSync.Cli.Output;

/// <summary>Writes log records to standard error: one line each, or JSON lines with <c>--json</c>.</summary>
/// <remarks>
/// Our own provider of forty lines instead of Microsoft.Extensions.Logging.Console: that one writes from a queue thread
/// straight to the console, over the live display, and brings configuration and options into every start.
/// </remarks>
internal sealed class StderrLoggerProvider(CommandOutput output) : ILoggerProvider
{
    /// <summary>A factory at the level that the command line asks for.</summary>
    public static ILoggerFactory CreateFactory(CommandOutput output)
    {
        LogLevel level = output switch
        {
            { Quiet: true } => LogLevel.Error,
            { Verbose: true } => LogLevel.Debug,
            _ => LogLevel.Warning,
        };
        return LoggerFactory.Create(builder =>
        {
            builder.SetMinimumLevel(level);
#pragma warning disable CA2000 // The factory disposes its providers.
            builder.AddProvider(new StderrLoggerProvider(output));
#pragma warning restore CA2000
        });
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new StderrLogger(output, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
        // Standard error is the CommandOutput's.
    }

    private sealed class StderrLogger(CommandOutput output, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            string time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
            string level = logLevel.ToString().ToLowerInvariant();
            string message = formatter(state, exception);
            if (!output.Json)
            {
                string cause = exception is null ? string.Empty : Environment.NewLine + exception;
                output.ErrorLine($"{time} {level} [{eventId.Id} {eventId.Name}] {category}: {message}{cause}");
                return;
            }

            Dictionary<string, string>? values = null;
            if (state is IReadOnlyList<KeyValuePair<string, object?>> pairs)
            {
                values = new Dictionary<string, string>(StringComparer.Ordinal);
                foreach ((string name, object? value) in pairs)
                {
                    if (name != "{OriginalFormat}")
                    {
                        values[name] = Convert.ToString(value, CultureInfo.InvariantCulture) ?? string.Empty;
                    }
                }
            }

            var record = new LogEvent(
                time, level, eventId.Id, eventId.Name, category, message, values, exception?.ToString());
            output.ErrorLine(CliJson.Line(record, CliJson.Default.LogEvent));
        }
    }
}
