using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>A real sshd on 127.0.0.1 with a host key, a user key and a configuration of its own.</summary>
/// <remarks>Lets in the user who runs the tests. Ended with <see cref="Dispose"/>.</remarks>
internal sealed class SshServer : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Process _process;
    private readonly Task<string> _log;

    public SshServer()
    {
        Directory.CreateDirectory("/run/sshd");
        Tool.Run("openssh-client", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", _folder.File("host"));
        Tool.Run("openssh-client", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", _folder.File("user"));
        int port = FreePort();
        File.WriteAllText(_folder.File("known"), $"[127.0.0.1]:{port} {File.ReadAllText(_folder.File("host.pub"))}");
        string server = _folder.File("sshd_config");
        File.WriteAllLines(server,
        [
            "ListenAddress 127.0.0.1",
            $"Port {port}",
            $"HostKey {_folder.File("host")}",
            $"AuthorizedKeysFile {_folder.File("user.pub")}",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            "StrictModes no",
            $"UsePAM {(PasswordIsLocked() ? "yes" : "no")}",
            "PidFile none",
            $"SetEnv DISKSYNC_STATE={_folder.File("state")}",
        ]);
        ClientConfig = _folder.File("ssh_config");
        File.WriteAllLines(ClientConfig,
        [
            "Host far",
            "  HostName 127.0.0.1",
            $"  Port {port}",
            $"  User {Environment.UserName}",
            $"  IdentityFile {_folder.File("user")}",
            "  IdentitiesOnly yes",
            $"  UserKnownHostsFile {_folder.File("known")}",
            "  BatchMode yes",
        ]);

        _process = Tool.Start("openssh-server", "sshd", "-D", "-e", "-f", server);
        _process.StandardInput.Close();
        var listening = new TaskCompletionSource();
        _log = ReadLog(_process.StandardError, listening);
        if (!listening.Task.Wait(TimeSpan.FromSeconds(20)))
        {
            _process.Kill();
            throw new InvalidOperationException($"sshd does not listen: {_log.GetAwaiter().GetResult()}");
        }
    }

    /// <summary>The client configuration, for <c>ssh -F</c>; the host's name in it is "far".</summary>
    public string ClientConfig { get; }

    /// <summary>A client configuration that knows another key for the host, as after an attack or a new installation.</summary>
    public string ConfigWithAnotherHostKey()
    {
        string known = _folder.File("known-other");
        File.WriteAllText(known, File.ReadAllText(_folder.File("known")).Split(' ')[0] + " " + File.ReadAllText(_folder.File("user.pub")));
        string config = _folder.File("ssh_config-other");
        File.WriteAllText(config, File.ReadAllText(ClientConfig).Replace(_folder.File("known"), known, StringComparison.Ordinal));
        return config;
    }

    public void Dispose()
    {
        // Sessions are processes of their own and end with their clients.
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }

    private static async Task<string> ReadLog(StreamReader reader, TaskCompletionSource listening)
    {
        string log = string.Empty;
        while (await reader.ReadLineAsync() is { } line)
        {
            log += line + "\n";
            if (line.Contains("Server listening", StringComparison.Ordinal))
            {
                listening.TrySetResult();
            }
        }

        return log;
    }

    /// <summary>Without PAM, sshd keeps a user with a locked password out, even one with a key.</summary>
    private static bool PasswordIsLocked() =>
        Tool.TryRun("passwd", "passwd", "--status").Output.Split(' ') is [_, "L" or "LK", ..];

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return int.Parse(listener.LocalEndpoint.ToString()!.Split(':')[1], CultureInfo.InvariantCulture);
    }
}
