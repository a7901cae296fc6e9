using System.Runtime.InteropServices;
using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>Names and numbers of users and groups, from whatever databases this host uses. Thread safe.</summary>
public static unsafe class UserLookup
{
    private const int FirstBuffer = 1024;
    private const int LastBuffer = 1 << 20;

    private delegate int Query(out NameEntry entry, byte* buffer, nint size, out nint found);

    /// <summary>The number of the user that this process acts as.</summary>
    public static uint EffectiveUserId => UserCalls.EffectiveUser();

    /// <summary>The name of the user that this process acts as, or "uid 1234" where it has none.</summary>
    public static string EffectiveUserName
    {
        get
        {
            uint id = EffectiveUserId;
            try
            {
                return UserName(id) ?? $"uid {id}";
            }
            catch (LinuxException)
            {
                // This text is for error messages: an unreachable user database must not hide the first error.
                return $"uid {id}";
            }
        }
    }

    /// <summary>A user's number, or null where there is no such name.</summary>
    /// <exception cref="LinuxException">The user database could not be read.</exception>
    public static uint? UserId(string name)
    {
        Call.CheckPath("look up user", name);
        return Find((out NameEntry entry, byte* buffer, nint size, out nint found)
            => UserCalls.UserByName(name, out entry, buffer, size, out found), "look up user", name)?.Id;
    }

    /// <summary>The number of a user's primary group, or null where there is no such user.</summary>
    /// <exception cref="LinuxException">The user database could not be read.</exception>
    public static uint? PrimaryGroupId(uint userId) =>
        Find((out NameEntry entry, byte* buffer, nint size, out nint found)
            => UserCalls.UserById(userId, out entry, buffer, size, out found), "look up user", $"{userId}")?.Group;

    /// <summary>A user's name, or null where there is no such number.</summary>
    /// <exception cref="LinuxException">The user database could not be read.</exception>
    public static string? UserName(uint id) =>
        Find((out NameEntry entry, byte* buffer, nint size, out nint found)
            => UserCalls.UserById(id, out entry, buffer, size, out found), "look up user", $"{id}")?.Name;

    /// <summary>A group's number, or null where there is no such name.</summary>
    /// <exception cref="LinuxException">The group database could not be read.</exception>
    public static uint? GroupId(string name)
    {
        Call.CheckPath("look up group", name);
        return Find((out NameEntry entry, byte* buffer, nint size, out nint found)
            => UserCalls.GroupByName(name, out entry, buffer, size, out found), "look up group", name)?.Id;
    }

    /// <summary>A group's name, or null where there is no such number.</summary>
    /// <exception cref="LinuxException">The group database could not be read.</exception>
    public static string? GroupName(uint id) =>
        Find((out NameEntry entry, byte* buffer, nint size, out nint found)
            => UserCalls.GroupById(id, out entry, buffer, size, out found), "look up group", $"{id}")?.Name;

    private static (string Name, uint Id, uint Group)? Find(Query query, string operation, string what)
    {
        for (int size = FirstBuffer; ; size *= 2)
        {
            byte[] space = new byte[size];
            fixed (byte* buffer = space)
            {
                var error = (Errno)query(out NameEntry entry, buffer, size, out nint found);
                switch (error)
                {
                    case Errno.None when found != 0:
                        return (Marshal.PtrToStringUTF8(entry.Name) ?? string.Empty, entry.Id, entry.PrimaryGroup);
                    case Errno.None or Errno.ENOENT or Errno.EBADF or Errno.EPERM or (Errno)3:
                        // The manual's list of what systems return for "not found" (3 is ESRCH).
                        return null;
                    case Errno.EINTR:
                    case Errno.ERANGE when size < LastBuffer:
                        continue;
                    default:
                        throw new LinuxException(error, operation, what);
                }
            }
        }
    }
}
