using System.Text;
using DiskSync.Engine;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>A QMP socket as users write it and the journal keeps it: <c>qmp:/path/to/socket</c>.</summary>
public static class QmpAddress
{
    /// <summary>What tells it from a command.</summary>
    public const string Prefix = "qmp:";

    // What the kernel takes (sun_path), without its closing zero.
    private const int MaxPath = 107;

    /// <summary>Whether a text is one, well formed or not.</summary>
    public static bool IsOne(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith(Prefix, StringComparison.Ordinal);
    }

    /// <summary>The address of a socket.</summary>
    /// <param name="socket">Its path; made absolute, because the journal outlives the current folder.</param>
    public static string Of(string socket) => Prefix + Path.GetFullPath(socket);

    /// <summary>The socket's path.</summary>
    /// <exception cref="DiskSyncException">The path is not absolute, or longer than a Unix socket's may be.</exception>
    public static string PathOf(string address)
    {
        string path = IsOne(address) ? address[Prefix.Length..] : address;
        return Path.IsPathRooted(path) && Encoding.UTF8.GetByteCount(path) <= MaxPath && !path.Contains('\0', StringComparison.Ordinal)
            ? path
            : throw new DiskSyncException(
                FailureKind.Usage,
                $"{address}: not the address of a QMP socket",
                $"It is {Prefix} and the socket's absolute path, of {MaxPath} bytes at most, as in {Prefix}/run/web.qmp.");
    }
}
