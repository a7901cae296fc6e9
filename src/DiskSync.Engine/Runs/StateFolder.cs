using DiskSync.Linux;

namespace DiskSync.Engine.Runs;

/// <summary>Where this host keeps what must outlive a process: the ownership journal, the runs, devices' state.</summary>
public static class StateFolder
{
    /// <summary>The environment variable that names the folder.</summary>
    public const string Variable = "DISKSYNC_STATE";

    /// <summary>The folder to use: the option, else the variable, else the host's usual place for this user.</summary>
    /// <param name="option">The user's --state, or null.</param>
    public static string Resolve(string? option)
    {
        string? chosen = option ?? Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(chosen))
        {
            return Path.GetFullPath(chosen);
        }

        if (Environment.IsPrivilegedProcess)
        {
            return "/var/lib/disksync";
        }

        string? home = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        return string.IsNullOrEmpty(home)
            ? Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local/state/disksync")
            : Path.Join(home, "disksync");
    }

    /// <summary>Makes a folder that only its owner may enter; its name is durable when this returns.</summary>
    /// <exception cref="DiskSyncException">It cannot be made.</exception>
    public static string Create(string path)
    {
        try
        {
            if (!Directory.Exists(path))
            {
                Create(Path.GetDirectoryName(path) ?? "/");
                Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                FileSystemCalls.SyncDirectory(Path.GetDirectoryName(path) ?? "/");
            }

            return path;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"the state folder {path} cannot be made: {exception.Message}",
                $"Name another with --state DIR or {Variable}.",
                exception);
        }
    }
}
