using System.Diagnostics;
using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <content>Locks, mode and owner.</content>
public sealed partial class LinuxFile
{
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(20);

    /// <summary>Takes the file's exclusive advisory lock (flock) without waiting.</summary>
    /// <returns>False where someone else holds a lock, which may be this process by another open.</returns>
    /// <remarks>Released by <see cref="Unlock"/>, by <see cref="Dispose"/>, and by the kernel when the process dies.</remarks>
    /// <exception cref="LinuxException">The file system failed.</exception>
    public bool TryLockExclusive() => TryLock(FileCalls.LockExclusive);

    /// <summary>Takes the exclusive lock as <see cref="TryLockExclusive()"/> does, but waits for it; blocks the thread.</summary>
    /// <param name="patience">For how long.</param>
    /// <returns>False where somebody else had it all the time.</returns>
    /// <exception cref="LinuxException">The file system cannot lock.</exception>
    public bool TryLockExclusive(TimeSpan patience)
    {
        // The kernel would wait without an end, and a timer for it would need a signal.
        long start = Stopwatch.GetTimestamp();
        while (!TryLockExclusive())
        {
            if (Stopwatch.GetElapsedTime(start) > patience)
            {
                return false;
            }

            Thread.Sleep(LockPoll);
        }

        return true;
    }

    /// <summary>Takes a shared advisory lock (flock) without waiting.</summary>
    /// <returns>False where someone else holds the exclusive lock.</returns>
    /// <remarks>Changing a lock's kind is not atomic: where it fails, the lock held before is lost too.</remarks>
    /// <exception cref="LinuxException">The file system failed.</exception>
    public bool TryLockShared() => TryLock(FileCalls.LockShared);

    /// <summary>Releases the lock.</summary>
    /// <exception cref="LinuxException">The file system failed.</exception>
    public void Unlock() => ThrowIf(FileCalls.Lock(Handle, FileCalls.LockRelease) < 0, "unlock");

    /// <summary>Tells whether another open file holds a byte-range lock (POSIX or OFD, fcntl) in a range.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes; 0 means to the end.</param>
    /// <remarks>Takes no lock and needs no write access. Locks of this very open file do not count.</remarks>
    /// <exception cref="LinuxException">The file system failed.</exception>
    public bool HasRangeLock(long offset, long length)
    {
        // A write lock would meet every other lock, shared ones too.
        var wanted = new FileLock { Type = FileLock.Write, Start = offset, Length = length };
        int result;
        do
        {
            result = OpenCalls.FileControl(Handle, OpenCalls.GetOpenFileLock, ref wanted);
        }
        while (Call.Again(result));
        ThrowIf(result < 0, "ask for the locks of");
        return wanted.Type != FileLock.Unlocked;
    }

    /// <summary>Tells whether nobody else has the file open, by taking a write lease and giving it back at once (F_SETLEASE, fcntl(2)).</summary>
    /// <returns>Null where the file system has no leases or this user may take none here.</returns>
    /// <remarks>Other opens of this very process count too. Mappings and loop devices hold the file open.</remarks>
    public bool? TryBeAlone()
    {
        if (OpenCalls.FileControl(Handle, OpenCalls.SetLease, OpenCalls.WriteLease) < 0)
        {
            return Call.Error == Errno.EAGAIN ? false : null;
        }

        ThrowIf(OpenCalls.FileControl(Handle, OpenCalls.SetLease, OpenCalls.NoLease) < 0, "give back the lease of");
        return true;
    }

    /// <summary>Sets the permission bits.</summary>
    /// <exception cref="LinuxException">The user may not.</exception>
    public void ChangeMode(UnixFileMode mode) =>
        ThrowIf(FileCalls.ChangeMode(Handle, (uint)mode) < 0, "change the mode of");

    /// <summary>Sets owner and group.</summary>
    /// <param name="user">The user's number, or <see cref="uint.MaxValue"/> to leave it.</param>
    /// <param name="group">The group's number, or <see cref="uint.MaxValue"/> to leave it.</param>
    /// <exception cref="LinuxException">The user may not.</exception>
    public void ChangeOwner(uint user, uint group) =>
        ThrowIf(FileCalls.ChangeOwner(Handle, user, group) < 0, "change the owner of");

    private bool TryLock(int kind)
    {
        int result;
        do
        {
            result = FileCalls.Lock(Handle, kind | FileCalls.LockNonBlocking);
        }
        while (Call.Again(result));

        if (result >= 0)
        {
            _locked = true;
            return true;
        }

        return Call.Error == Errno.EAGAIN ? false : throw LinuxException.Last("lock", Path);
    }
}
