using DiskSync.Linux;

namespace DiskSync.Engine;

/// <summary>What to do where the system denies something, which depends on why: a file system that is mounted read-only lets nobody in.</summary>
internal static class AccessAdvice
{
    /// <summary>The next thing to do.</summary>
    /// <param name="exception">A failure that is a denial.</param>
    /// <param name="path">What was denied.</param>
    /// <param name="program">What could run as another user: "the command", "the receiver".</param>
    public static string For(LinuxException exception, string path, string program = "the command") =>
        exception.Errno == Errno.EROFS
            ? $"{path} is on a file system that is mounted read-only: mount it writable, or name another place."
            : $"Give {UserLookup.EffectiveUserName} access to {path}, or run {program} as another user.";
}
