using DiskSync.Linux;

namespace DiskSync.Engine.Peers;

/// <summary>The folder with this host's key and the peers that it trusts.</summary>
/// <param name="Path">Its full path.</param>
/// <param name="IsNamed">Whether the user named it, so that commands which are told to him have to name it as well.</param>
public sealed record KeyFolder(string Path, bool IsNamed)
{
    /// <summary>The private key: PKCS #8, PEM, mode 0600.</summary>
    public string KeyPath => System.IO.Path.Join(Path, "host.key");

    /// <summary>The certificate: self-signed, PEM.</summary>
    public string CertificatePath => System.IO.Path.Join(Path, "host.crt");

    /// <summary>The trusted peers.</summary>
    public string PeersPath => System.IO.Path.Join(Path, "peers");

    /// <summary>The folder to use: the option, else the usual place for this user.</summary>
    /// <param name="option">The user's --keys, or null.</param>
    public static KeyFolder Resolve(string? option)
    {
        if (!string.IsNullOrEmpty(option))
        {
            return new KeyFolder(System.IO.Path.GetFullPath(option), IsNamed: true);
        }

        if (Environment.IsPrivilegedProcess)
        {
            return new KeyFolder("/etc/disksync", IsNamed: false);
        }

        string? home = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
        return new KeyFolder(
            string.IsNullOrEmpty(home)
                ? System.IO.Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config/disksync")
                : System.IO.Path.Join(home, "disksync"),
            IsNamed: false);
    }

    /// <summary>Makes the folder for its owner alone where it is not there; its name is durable when this returns.</summary>
    /// <exception cref="DiskSyncException">It cannot be made (kind Preflight).</exception>
    public void Create()
    {
        if (Directory.Exists(Path))
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            FileSystemCalls.SyncDirectory(System.IO.Path.GetDirectoryName(Path) ?? "/");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DiskSyncException(
                FailureKind.Preflight, $"the key folder {Path} cannot be made: {exception.Message}", "Name another with --keys DIR.", exception);
        }
    }

    /// <summary>A command line on this host that works on this folder.</summary>
    /// <param name="command">Without the program: "keygen".</param>
    public string Command(string command) => $"disksync {command}" + (IsNamed ? $" --keys {Path}" : string.Empty);
}
