using System.Runtime.InteropServices;

namespace DiskSync.Linux;

/// <summary>A system call failed.</summary>
/// <remarks>
/// The message reads "open /x: Permission denied (EACCES), as user root": the operation, the path, the offset
/// where there is one, the C library's text, the error's name, and, where the cause may be who is asking
/// (EACCES, EPERM, EROFS), the effective user.
/// </remarks>
public sealed class LinuxException : IOException
{
    /// <summary>Describes a failed system call.</summary>
    /// <param name="errno">The error number.</param>
    /// <param name="operation">What was tried, as a verb: "open", "read".</param>
    /// <param name="path">The path that it was tried on, as its user named it.</param>
    /// <param name="offset">The byte offset, or -1 where the operation has none.</param>
    /// <param name="detail">A better explanation than the C library's text, or null.</param>
    public LinuxException(Errno errno, string operation, string path, long offset = -1, string? detail = null)
        : base(Describe(errno, operation, path, offset, detail))
    {
        Errno = errno;
        Operation = operation;
        Path = path;
        Offset = offset;
    }

    /// <summary>The error number.</summary>
    public Errno Errno { get; }

    /// <summary>What was tried, as a verb.</summary>
    public string Operation { get; }

    /// <summary>The path that it was tried on.</summary>
    public string Path { get; }

    /// <summary>The byte offset, or -1 where the operation has none.</summary>
    public long Offset { get; }

    /// <summary>The C library's text and the error's name: "No space left on device (ENOSPC)".</summary>
    public string Reason => Text(Errno);

    /// <summary>True where space or quota ran out (ENOSPC, EDQUOT).</summary>
    public bool IsFull => Errno is Errno.ENOSPC or Errno.EDQUOT;

    /// <summary>True where the user may not do this (EACCES, EPERM, EROFS).</summary>
    public bool IsDenied => Denied(Errno);

    /// <summary>The exception for the calling thread's last failed system call.</summary>
    internal static LinuxException Last(string operation, string path, long offset = -1) =>
        new((Errno)Marshal.GetLastPInvokeError(), operation, path, offset);

    private static bool Denied(Errno errno) => errno is Errno.EACCES or Errno.EPERM or Errno.EROFS;

    private static string Describe(Errno errno, string operation, string path, long offset, string? detail) =>
        $"{operation} {path}"
        + (offset >= 0 ? $" at offset {offset}" : string.Empty)
        + $": {(detail is null ? Text(errno) : $"{detail} ({Name(errno)})")}"
        + (Denied(errno) ? $", as user {UserLookup.EffectiveUserName}" : string.Empty);

    private static string Text(Errno errno) => $"{Marshal.GetPInvokeErrorMessage((int)errno)} ({Name(errno)})";

    private static string Name(Errno errno) => Enum.IsDefined(errno) ? errno.ToString() : $"error {(int)errno}";
}
