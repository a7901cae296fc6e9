using Microsoft.Extensions.Logging;

namespace DiskSync.Engine.Replication;

/// <summary>The receiver's log messages; event ids 200 to 299.</summary>
internal static partial class ReceiverLog
{
    [LoggerMessage(200, LogLevel.Information, "session {Session} from {Host} ({Software}) opened")]
    public static partial void SessionOpened(ILogger logger, Guid session, string host, string software);

    [LoggerMessage(201, LogLevel.Information, "session {Session} ended")]
    public static partial void SessionEnded(ILogger logger, Guid session);

    // No warning: the source is told, and whoever runs the receiver reports it in the words of a user.
    [LoggerMessage(202, LogLevel.Information, "session {Session} failed: {Reason}")]
    public static partial void SessionFailed(ILogger logger, Guid session, string reason);

    [LoggerMessage(203, LogLevel.Information, "target {Target} opened as {Staged}: {State}, fence {Fence}")]
    public static partial void TargetOpened(ILogger logger, string target, string staged, string state, ulong fence);

    [LoggerMessage(204, LogLevel.Warning, "target {Target}: session {Session} reconnected; its old connection is fenced and drained first")]
    public static partial void Takeover(ILogger logger, string target, Guid session);

    [LoggerMessage(209, LogLevel.Warning, "session {Session} greets again; its older connection is fenced and closed")]
    public static partial void Replaced(ILogger logger, Guid session);

    [LoggerMessage(205, LogLevel.Information, "target {Target} sealed as {Path} at epoch {Epoch} with root {Root}")]
    public static partial void TargetSealed(ILogger logger, string target, string path, ulong epoch, string root);

    [LoggerMessage(206, LogLevel.Warning, "target {Target}: {Count} blocks read back differently from what was written; the source sends them again")]
    public static partial void ReadBackDiffers(ILogger logger, string target, int count);

    [LoggerMessage(207, LogLevel.Error, "target {Target}: could not make the last blocks durable when the session ended: {Reason}")]
    public static partial void LastCheckpointFailed(ILogger logger, string target, string reason);

    [LoggerMessage(211, LogLevel.Information, "target {Target} checked without opening it: identical {Identical} {Why}")]
    public static partial void TargetChecked(ILogger logger, string target, bool identical, string why);

    [LoggerMessage(212, LogLevel.Warning, "nothing more is read back before the end of the copy: {Reason}")]
    public static partial void EarlyReadFailed(ILogger logger, string reason);

    [LoggerMessage(213, LogLevel.Information, "image {Image}: {Source} serves what it misses ({Use})")]
    public static partial void TailBegun(ILogger logger, string image, string source, string use);

    [LoggerMessage(214, LogLevel.Information, "image {Image}: a connection of its source has ended ({Use})")]
    public static partial void TailEnded(ILogger logger, string image, string use);

    [LoggerMessage(208, LogLevel.Error, "a bug ended session {Session}")]
    public static partial void Bug(ILogger logger, Guid session, Exception exception);

    [LoggerMessage(210, LogLevel.Warning, "session {Session} has lost its connections; its targets stay open for {Seconds} s for the source to come back")]
    public static partial void Deserted(ILogger logger, Guid session, double seconds);
}
