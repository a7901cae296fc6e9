using System.Globalization;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>A program for --rsh that ignores the host and runs the command here, so that its process can be found and killed.</summary>
internal sealed class LocalShell
{
    private readonly string _pidFile;

    /// <summary>Writes the program into a folder.</summary>
    public LocalShell(TempFolder folder)
    {
        _pidFile = folder.File("receiver.pid");
        Path = folder.Write("rsh", System.Text.Encoding.ASCII.GetBytes($"#!/bin/sh\nshift\necho $$ > {_pidFile}\neval \"exec $*\"\n"));
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>What --rsh takes.</summary>
    public string Path { get; }

    /// <summary>What --remote-path takes.</summary>
    public static string RemotePath => $"{Environment.ProcessPath} {DisksyncProcess.DllPath}";

    /// <summary>The receiver that was started last.</summary>
    public int ReceiverId => int.Parse(File.ReadAllText(_pidFile), CultureInfo.InvariantCulture);
}
