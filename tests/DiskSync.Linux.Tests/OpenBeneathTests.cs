using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class OpenBeneathTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly LinuxFile _root;

    public OpenBeneathTests()
    {
        _folder.Write("secret", [42]);
        Directory.CreateDirectory(_folder.File("root/sub"));
        _folder.Write("root/file", [1]);
        _root = LinuxFile.Open(_folder.File("root"), LinuxOpen.Directory);
    }

    public void Dispose()
    {
        _root.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("sub/../../secret")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("/")]
    [InlineData("up/secret")]
    [InlineData("absolute")]
    [InlineData("chain")]
    public void A_path_that_leaves_the_folder_is_refused_by_name(string path)
    {
        Directory.CreateSymbolicLink(_folder.File("root/up"), "..");
        File.CreateSymbolicLink(_folder.File("root/absolute"), _folder.File("secret"));
        File.CreateSymbolicLink(_folder.File("root/chain"), "sub/../up/secret");

        LinuxException e = Assert.Throws<LinuxException>(
            () => LinuxFile.OpenBeneath(_root, path, LinuxOpen.ReadOnly));
        Assert.Equal(Errno.EXDEV, e.Errno);
        Assert.Equal(
            $"open {path}: the path leaves the folder {_root.Path}, to which it is confined (EXDEV)", e.Message);
    }

    [Fact]
    public void A_failure_inside_the_folder_names_the_full_path()
    {
        LinuxException e = Assert.Throws<LinuxException>(
            () => LinuxFile.OpenBeneath(_root, "sub/missing", LinuxOpen.ReadOnly));
        Assert.Equal($"open {_folder.File("root/sub/missing")}: No such file or directory (ENOENT)", e.Message);
    }

    [Theory]
    [InlineData("../new")]
    [InlineData("up/new")]
    [InlineData("dangling")]
    public void Nothing_is_created_outside_the_folder(string path)
    {
        Directory.CreateSymbolicLink(_folder.File("root/up"), "..");
        File.CreateSymbolicLink(_folder.File("root/dangling"), "../new");
        Assert.Throws<LinuxException>(
            () => LinuxFile.OpenBeneath(_root, path, LinuxOpen.ReadWrite | LinuxOpen.Create));
        Assert.False(File.Exists(_folder.File("new")));
    }

    [Fact]
    public void Files_and_links_that_stay_inside_are_opened_and_created()
    {
        File.CreateSymbolicLink(_folder.File("root/sub/link"), "../file");
        using (var file = LinuxFile.OpenBeneath(_root, "sub/link", LinuxOpen.ReadOnly))
        {
            Assert.True(file.Stat().IsSameFileAs(FileStat.Of(_folder.File("root/file"))));
            Assert.Equal(_folder.File("root/sub/link"), file.Path);
        }

        using var created = LinuxFile.OpenBeneath(
            _root, "sub/../sub/new", LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Exclusive);
        created.WriteAt(new byte[] { 1, 2 }, 0);
        Assert.Equal(new byte[] { 1, 2 }, File.ReadAllBytes(_folder.File("root/sub/new")));
    }

    [Fact]
    public void A_folder_beneath_can_be_opened_and_used_by_plain_names_only()
    {
        using var sub = LinuxFile.OpenBeneath(_root, "sub", LinuxOpen.Directory);
        using (LinuxFile.OpenBeneath(sub, "a", LinuxOpen.ReadWrite | LinuxOpen.Create))
        {
        }

        FileSystemCalls.Rename(sub, "a", _root, "b", replace: false);
        Assert.NotNull(FileStat.IfExists(_root, "b"));
        Assert.Null(FileStat.IfExists(sub, "a"));
        Assert.Equal(
            Errno.EEXIST,
            Assert.Throws<LinuxException>(() => FileSystemCalls.Rename(_root, "b", _root, "file", replace: false)).Errno);
        FileSystemCalls.Rename(_root, "b", _root, "file", replace: true);
        FileSystemCalls.Unlink(_root, "file");
        sub.Sync();
        Assert.False(File.Exists(_folder.File("root/file")));

        foreach (string name in new[] { "../secret", "..", ".", "/etc/passwd" })
        {
            Assert.Throws<LinuxException>(() => FileSystemCalls.Unlink(_root, name));
            Assert.Throws<LinuxException>(() => FileStat.IfExists(_root, name));
            Assert.Throws<LinuxException>(() => FileSystemCalls.Rename(_root, "sub", _root, name, replace: true));
        }

        Assert.True(File.Exists(_folder.File("secret")));
    }

    [Fact]
    public void A_reference_to_a_folder_serves_as_a_root()
    {
        using var root = LinuxFile.Open(_root.Path, LinuxOpen.Reference | LinuxOpen.Directory);
        using var file = LinuxFile.OpenBeneath(root, "file", LinuxOpen.ReadOnly);
        Assert.Equal(1, file.Length());
        using var reference = LinuxFile.OpenBeneath(root, "sub", LinuxOpen.Reference | LinuxOpen.Directory);
        Assert.Equal(FileKind.Directory, reference.Stat().Kind);
    }
}
