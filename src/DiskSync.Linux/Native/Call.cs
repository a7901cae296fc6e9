using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>What every system call here needs: the library's name, the last error, and a check of paths.</summary>
internal static class Call
{
    /// <summary>The C library; the runtime maps this name to the platform's file (libc.so.6, libc.musl-...).</summary>
    internal const string Library = "libc";

    /// <summary>The calling thread's last error.</summary>
    internal static Errno Error => (Errno)Marshal.GetLastPInvokeError();

    /// <summary>True where a call failed only because a signal came in: call again.</summary>
    internal static bool Again(long result) => result < 0 && Marshal.GetLastPInvokeError() == (int)Errno.EINTR;

    /// <summary>True for the errors by which a kernel, file system or device says that it has no such operation.</summary>
    internal static bool IsUnsupported(Errno errno) =>
        errno is Errno.EOPNOTSUPP or Errno.ENOSYS or Errno.ENODEV or Errno.ENOTTY;

    /// <summary>Refuses a path that the kernel would read only in part, as C strings end at a zero byte.</summary>
    internal static string CheckPath(string operation, string path) =>
        path.Contains('\0', StringComparison.Ordinal)
            ? throw new LinuxException(
                Errno.EINVAL, operation, path.Replace('\0', '?'), detail: "the path has a zero byte in it")
            : path;
}
