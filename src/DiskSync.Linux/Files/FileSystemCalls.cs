using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>Calls on names: renaming, removing, making directories durable, free space.</summary>
/// <remarks>
/// The forms with an open directory take one plain name, not a path, so that a folder opened with
/// <see cref="LinuxFile.OpenBeneath"/> stays the folder that was checked. None of them is durable before the
/// directory was flushed. Thread safe.
/// </remarks>
public static class FileSystemCalls
{
    /// <summary>Renames a path, replacing what has the new name.</summary>
    /// <exception cref="LinuxException">It could not be renamed.</exception>
    public static void Rename(string from, string to) => RenameWith(from, to, 0);

    /// <summary>Renames a path; fails with EEXIST where the new name is taken, without a moment in between.</summary>
    /// <exception cref="LinuxException">EEXIST, or it could not be renamed.</exception>
    public static void RenameNoReplace(string from, string to)
    {
        try
        {
            RenameWith(from, to, PathCalls.NoReplace);
        }
        catch (LinuxException e) when (e.Errno is Errno.EINVAL or Errno.ENOSYS)
        {
            // A file system without the flag (NFS). A hard link has the same guarantee; both names exist for a moment.
            if (PathCalls.Link(StatCalls.CurrentDirectory, from, StatCalls.CurrentDirectory, to, 0) < 0)
            {
                throw LinuxException.Last("rename", $"{from} to {to}");
            }

            Unlink(from);
        }
    }

    /// <summary>Renames a name within or between open directories.</summary>
    /// <param name="fromDirectory">Where it is.</param>
    /// <param name="from">Its name there.</param>
    /// <param name="toDirectory">Where it goes.</param>
    /// <param name="to">Its name there.</param>
    /// <param name="replace">False to fail with EEXIST where the new name is taken.</param>
    /// <exception cref="LinuxException">It could not be renamed.</exception>
    public static void Rename(
        LinuxFile fromDirectory, string from, LinuxFile toDirectory, string to, bool replace)
    {
        ArgumentNullException.ThrowIfNull(fromDirectory);
        ArgumentNullException.ThrowIfNull(toDirectory);
        CheckName("rename", from);
        CheckName("rename", to);
        uint flags = replace ? 0 : PathCalls.NoReplace;
        if (PathCalls.Rename(fromDirectory.Handle, from, toDirectory.Handle, to, flags) < 0)
        {
            throw LinuxException.Last(
                "rename", $"{Path.Join(fromDirectory.Path, from)} to {Path.Join(toDirectory.Path, to)}");
        }
    }

    /// <summary>Removes a name that is not a directory.</summary>
    /// <exception cref="LinuxException">It could not be removed; ENOENT where it is not there.</exception>
    public static void Unlink(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Call.CheckPath("remove", path);
        if (PathCalls.Unlink(StatCalls.CurrentDirectory, path, 0) < 0)
        {
            throw LinuxException.Last("remove", path);
        }
    }

    /// <summary>Removes a name that is not a directory from an open directory.</summary>
    /// <exception cref="LinuxException">It could not be removed; ENOENT where it is not there.</exception>
    public static void Unlink(LinuxFile directory, string name)
    {
        ArgumentNullException.ThrowIfNull(directory);
        CheckName("remove", name);
        if (PathCalls.Unlink(directory.Handle, name, 0) < 0)
        {
            throw LinuxException.Last("remove", Path.Join(directory.Path, name));
        }
    }

    /// <summary>Makes the names in a directory durable.</summary>
    /// <exception cref="LinuxException">It could not be opened or flushed.</exception>
    public static void SyncDirectory(string path)
    {
        using var directory = LinuxFile.Open(path, LinuxOpen.Directory);
        directory.Sync();
    }

    /// <summary>The space of the file system that holds a path.</summary>
    /// <exception cref="LinuxException">It could not be asked.</exception>
    public static FileSystemSpace Space(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Call.CheckPath("ask the free space of", path);
        int result;
        FileSystemBuffer buffer;
        do
        {
            result = StatCalls.StatFileSystem(path, out buffer);
        }
        while (Call.Again(result));
        return result < 0
            ? throw LinuxException.Last("ask the free space of", path)
            : new FileSystemSpace(
                (long)(buffer.Available * buffer.FragmentSize), (long)(buffer.Total * buffer.FragmentSize));
    }

    /// <summary>Refuses what is not one plain name.</summary>
    internal static void CheckName(string operation, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Call.CheckPath(operation, name);
        if (name.Contains('/', StringComparison.Ordinal) || name is "." or "..")
        {
            throw new LinuxException(Errno.EINVAL, operation, name, detail: "a plain file name is needed, not a path");
        }
    }

    private static void RenameWith(string from, string to, uint flags)
    {
        ArgumentException.ThrowIfNullOrEmpty(from);
        ArgumentException.ThrowIfNullOrEmpty(to);
        Call.CheckPath("rename", from);
        Call.CheckPath("rename", to);
        if (PathCalls.Rename(StatCalls.CurrentDirectory, from, StatCalls.CurrentDirectory, to, flags) < 0)
        {
            throw LinuxException.Last("rename", $"{from} to {to}");
        }
    }
}
