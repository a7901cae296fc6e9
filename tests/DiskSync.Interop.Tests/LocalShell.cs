using System.Globalization;
using System.Text;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>A program for --rsh that ignores the host and runs the command here, so that its process can be found and killed.</summary>
internal sealed class LocalShell
{
    private readonly string _pidFile;

    /// <summary>Writes the program into a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="state">The far side's state folder, which disksync does not name over ssh.</param>
    public LocalShell(TempFolder folder, string state)
    {
        _pidFile = folder.File("receiver.pid");

        // Renamed when it is whole: whoever sees the file reads a number. "exec" keeps the shell's process id.
        string script = $"""
            #!/bin/sh
            shift
            echo $$ > {_pidFile}.new && mv {_pidFile}.new {_pidFile}
            export DISKSYNC_STATE={state}
            eval "exec $*"

            """;
        Path = folder.Write("rsh", Encoding.ASCII.GetBytes(script));
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>What --rsh takes.</summary>
    public string Path { get; }

    /// <summary>What --remote-path takes.</summary>
    public static string RemotePath => $"{Environment.ProcessPath} {DisksyncProcess.DllPath}";

    /// <summary>The receiver that was started last; null where none was since <see cref="Forget"/>.</summary>
    public int? ReceiverId => File.Exists(_pidFile)
        ? int.Parse(File.ReadAllText(_pidFile), CultureInfo.InvariantCulture)
        : null;

    /// <summary>Forgets the receiver, so that the next one is not taken for it.</summary>
    public void Forget() => File.Delete(_pidFile);
}
