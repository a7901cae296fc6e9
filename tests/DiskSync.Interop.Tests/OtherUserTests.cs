using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>What an ordinary user is told who may not read or write; the real user "nobody".</summary>
public sealed class OtherUserTests : IDisposable
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly TempFolder _folder = new();
    private readonly string _image;

    public OtherUserTests()
    {
        File.SetUnixFileMode(_folder.Path, Readable);
        foreach (string name in new[] { "far", "state" })
        {
            Directory.CreateDirectory(_folder.File(name));
            File.SetUnixFileMode(_folder.File(name), Readable);
        }

        Tool.Run("coreutils", "chown", "65534", _folder.File("state"));

        // The build folder may be out of the other user's reach.
        Tool.Run("coreutils", "cp", "-r", Path.GetDirectoryName(DisksyncProcess.DllPath)!, _folder.File("program"));
        Tool.Run("coreutils", "chmod", "-R", "a+rX", _folder.File("program"));
        _image = _folder.Write("vm.img", SampleImage.Create(1, 100_000));
        File.SetUnixFileMode(_image, Readable);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_folder_that_may_not_be_written_is_refused_with_who_and_which()
    {
        DisksyncResult result = await PushAsync();
        Assert.True(result.ExitCode == 6, result.ToString());
        Assert.Contains("Permission denied", result.Error, StringComparison.Ordinal);
        Assert.Contains("nobody", result.Error, StringComparison.Ordinal);
        Assert.True(result.Error.Contains(_folder.File("far"), StringComparison.Ordinal), result.ToString());
        Assert.Empty(Directory.GetFiles(_folder.File("far")));
    }

    [Fact]
    public async Task An_image_that_may_not_be_read_is_refused_with_who_and_which()
    {
        File.SetUnixFileMode(_image, UnixFileMode.UserRead);
        DisksyncResult result = await PushAsync();
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("as user nobody", result.Error, StringComparison.Ordinal);
        Assert.Contains(_image, result.Error, StringComparison.Ordinal);
    }

    private Task<DisksyncResult> PushAsync() => DisksyncProcess.RunAsync(
        ["push", _image, _folder.File("far/vm.img"), "--state", _folder.File("state")],
        start =>
        {
            string[] arguments = [.. start.ArgumentList.Skip(1)];
            start.ArgumentList.Clear();
            string program = Path.Join(_folder.File("program"), Path.GetFileName(DisksyncProcess.DllPath));
            foreach (string argument in (string[])
                ["--reuid=65534", "--regid=65534", "--clear-groups", Environment.ProcessPath!, "exec", program, .. arguments])
            {
                start.ArgumentList.Add(argument);
            }

            start.FileName = "setpriv";
        });
}
