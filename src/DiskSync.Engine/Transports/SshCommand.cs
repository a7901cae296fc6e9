namespace DiskSync.Engine.Transports;

/// <summary>Builds the command line that starts a receiver on another host with the user's own ssh.</summary>
public static class SshCommand
{
    /// <summary>The command line for <see cref="ProcessTransport.Start"/>.</summary>
    /// <param name="remoteShell">The user's --rsh, words separated by spaces, or null for ssh.</param>
    /// <param name="host">The host as ssh knows it.</param>
    /// <param name="remotePath">The program on the other host, usually "disksync"; may be several words.</param>
    /// <param name="arguments">The receiver's arguments; quoted here for the far shell.</param>
    /// <remarks>
    /// ssh hands one string to a shell on the other side, so every argument is put in single quotes. "-T": no terminal,
    /// which would mangle the bytes; "-oServerAliveInterval": a dead host ends the session instead of hanging it. Both
    /// are left out for another program, which may not know them.
    /// </remarks>
    public static IReadOnlyList<string> Build(
        string? remoteShell, string host, string remotePath, IEnumerable<string> arguments)
    {
        List<string> command = remoteShell is null
            ? ["ssh", "-T", "-oServerAliveInterval=15", "-oServerAliveCountMax=4"]
            : [.. remoteShell.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        command.Add(host);
        command.Add(string.Join(' ', arguments.Select(Quote).Prepend(remotePath)));
        return command;
    }

    /// <summary>Quotes one word for a POSIX shell.</summary>
    public static string Quote(string word) =>
        "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
