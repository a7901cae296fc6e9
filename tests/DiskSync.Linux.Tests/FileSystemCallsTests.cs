using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class FileSystemCallsTests
{
    [Fact]
    public void Rename_replaces_and_rename_no_replace_refuses()
    {
        using var folder = new TempFolder();
        string a = folder.Write("a", [1]);
        string b = folder.Write("b", [2]);
        LinuxException e = Assert.Throws<LinuxException>(() => FileSystemCalls.RenameNoReplace(a, b));
        Assert.Equal(Errno.EEXIST, e.Errno);
        Assert.Equal($"rename {a} to {b}: File exists (EEXIST)", e.Message);
        Assert.Equal([2], File.ReadAllBytes(b));

        FileSystemCalls.Rename(a, b);
        Assert.Equal([1], File.ReadAllBytes(b));
        FileSystemCalls.RenameNoReplace(b, a);
        Assert.False(File.Exists(b));
        FileSystemCalls.SyncDirectory(folder.Path);
        FileSystemCalls.Unlink(a);
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => FileSystemCalls.Unlink(a)).Errno);
        Assert.Equal(
            Errno.ENOTDIR,
            Assert.Throws<LinuxException>(() => FileSystemCalls.SyncDirectory(folder.Write("f", []))).Errno);
    }

    [Fact]
    public void Users_and_groups_are_found_by_name_and_number()
    {
        Assert.Equal(0u, UserLookup.UserId("root"));
        Assert.Equal("root", UserLookup.UserName(0));
        Assert.Equal(0u, UserLookup.GroupId("root"));
        Assert.Equal("root", UserLookup.GroupName(0));
        Assert.Equal(0u, UserLookup.PrimaryGroupId(0));
        Assert.Equal(65534u, UserLookup.UserId("nobody"));
        Assert.Null(UserLookup.UserId("no such user"));
        Assert.Null(UserLookup.GroupId("no such group"));
        Assert.Null(UserLookup.UserName(3_999_999_999));
        Assert.Null(UserLookup.GroupName(3_999_999_999));
        Assert.Equal(Environment.UserName, UserLookup.EffectiveUserName);
    }

    [Fact]
    public void Free_space_is_what_df_says()
    {
        using var mount = ScratchMount.Create(FileSystemKind.Ext4);
        string[] df = Tool.Run("coreutils", "df", "--block-size=1", "--output=avail,size", mount.Path)
            .Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        FileSystemSpace space = FileSystemCalls.Space(mount.Path);
        Assert.Equal(df[0], $"{space.AvailableBytes}");
        Assert.Equal(df[1], $"{space.TotalBytes}");
    }
}
