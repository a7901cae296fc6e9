using System.Diagnostics;
using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

/// <summary>What an ordinary user is told; run as the real user "nobody" in a process of its own.</summary>
public sealed class PermissionTests : IDisposable
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly TempFolder _folder = new();

    public PermissionTests()
    {
        // The build folder may be out of the other user's reach.
        File.SetUnixFileMode(_folder.Path, Readable);
        foreach (string name in new[] { "DiskSync.Linux.Tests.dll", "DiskSync.Linux.Tests.runtimeconfig.json", "DiskSync.Linux.dll" })
        {
            File.Copy(Path.Join(AppContext.BaseDirectory, name), _folder.File(name));
            File.SetUnixFileMode(_folder.File(name), Readable);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_of_another_user_is_refused_with_who_and_which()
    {
        string path = _folder.Write("secret.img", [1]);
        File.SetUnixFileMode(path, LinuxFile.OwnerOnly);
        Assert.Equal($"open {path}: Permission denied (EACCES), as user nobody", RunAsNobody("read", path));
    }

    [Fact]
    public void A_folder_that_may_not_be_written_is_refused_with_who_and_which()
    {
        string path = _folder.File("new.img");
        Assert.Equal($"open {path}: Permission denied (EACCES), as user nobody", RunAsNobody("write", path));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void Giving_a_file_away_is_refused_with_who_and_which()
    {
        string path = _folder.Write("shared.img", [1]);
        File.SetUnixFileMode(path, Readable);
        Assert.Equal(
            $"change the owner of {path}: Operation not permitted (EPERM), as user nobody", RunAsNobody("chown", path));
    }

    [Fact]
    public void A_device_that_may_not_be_looked_into_is_refused_rather_than_called_free()
    {
        using var loop = LoopDevice.Create(1 << 20);
        Assert.Equal($"open {loop.Path}: Permission denied (EACCES), as user nobody", RunAsNobody("use", loop.Path));
    }

    private string RunAsNobody(string command, string path)
    {
        string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        string[] arguments =
        [
            "--reuid=65534", "--regid=65534", "--clear-groups",
            host, "exec", _folder.File("DiskSync.Linux.Tests.dll"), command, path,
        ];
        using Process process = Tool.Start("util-linux", "setpriv", arguments);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        string problem = error.GetAwaiter().GetResult();
        Assert.True(problem.Length == 0, problem);
        return output.TrimEnd();
    }
}
