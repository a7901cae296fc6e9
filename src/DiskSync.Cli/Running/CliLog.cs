using Microsoft.Extensions.Logging;

namespace DiskSync.Cli.Running;

/// <summary>The front end's log events, 1000 to 1099.</summary>
internal static partial class CliLog
{
    /// <summary>A command begins.</summary>
    [LoggerMessage(EventId = 1000, Level = LogLevel.Information, Message = "{Command} started by disksync {Version}")]
    public static partial void CommandStarted(ILogger logger, string command, string version);

    /// <summary>A command has ended without a failure.</summary>
    [LoggerMessage(EventId = 1001, Level = LogLevel.Information, Message = "{Command} ended with exit code {Code}")]
    public static partial void CommandEnded(ILogger logger, string command, int code);
}
