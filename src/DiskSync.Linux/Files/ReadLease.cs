using System.Runtime.InteropServices;
using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>A read lease on a file: as long as it is held nobody has the file open for writing (F_SETLEASE F_RDLCK, fcntl(2)).</summary>
/// <remarks>
/// <para>The kernel refuses it while anybody could write: an open file, a writable mapping, a loop device. Whoever opens the
/// file for writing afterwards, or cuts it off, waits until the lease is given back, which is done at once here: the kernel
/// tells by a signal, and the writer goes on a few milliseconds later. From then on <see cref="IsHeld"/> is false for good.</para>
/// <para>The signal is SIGURG rather than the usual SIGIO or one of the real-time signals: its default is to be ignored, so
/// that no moment without a handler can end the process, and the kernel never falls back from it to SIGIO for want of
/// room in a queue.</para>
/// <para>Thread safe. Does not own the file, which must stay open until this is disposed.</para>
/// </remarks>
public sealed class ReadLease : IDisposable
{
    private const PosixSignal Urgent = (PosixSignal)23;

    private readonly Lock _lock = new();
    private readonly LinuxFile _file;
    private readonly PosixSignalRegistration _signal;
    private bool _held;

    private ReadLease(LinuxFile file)
    {
        _file = file;
        _signal = PosixSignalRegistration.Create(Urgent, OnSignal);
    }

    /// <summary>Whether nobody can have written since the lease was taken.</summary>
    public bool IsHeld
    {
        get
        {
            lock (_lock)
            {
                return _held && LooksHeld();
            }
        }
    }

    /// <summary>Takes a lease.</summary>
    /// <param name="file">A regular file, open for reading only; stays its opener's.</param>
    /// <param name="refusal">Why there is none.</param>
    /// <returns>The lease, to be disposed before the file; null where there is none.</returns>
    public static ReadLease? TryTake(LinuxFile file, out LeaseRefusal refusal)
    {
        ArgumentNullException.ThrowIfNull(file);
        ReadLease lease = new(file);
        refusal = lease.Take();
        if (refusal == LeaseRefusal.None)
        {
            return lease;
        }

        lease.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _signal.Dispose();
        lock (_lock)
        {
            GiveBack();
        }
    }

    private LeaseRefusal Take()
    {
        lock (_lock)
        {
            // Before the lease: a break in between would be told by the default signal, SIGIO, which ends the process.
            if (OpenCalls.FileControl(_file.Handle, OpenCalls.SetSignal, (long)Urgent) < 0
                || OpenCalls.FileControl(_file.Handle, OpenCalls.SetOwner, Environment.ProcessId) < 0)
            {
                return LeaseRefusal.NotSupported;
            }

            if (OpenCalls.FileControl(_file.Handle, OpenCalls.SetLease, OpenCalls.ReadLease) < 0)
            {
                return Call.Error switch
                {
                    Errno.EAGAIN => LeaseRefusal.Writer,
                    Errno.EACCES or Errno.EPERM => LeaseRefusal.NotOwner,
                    _ => LeaseRefusal.NotSupported,
                };
            }

            _held = true;
            return LeaseRefusal.None;
        }
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        lock (_lock)
        {
            // Another lease of this process may be meant.
            if (_held && !LooksHeld())
            {
                GiveBack();
            }
        }
    }

    /// <remarks>While a lease is being broken the kernel answers with what it is to become.</remarks>
    private bool LooksHeld() =>
        !_file.Handle.IsClosed && OpenCalls.FileControl(_file.Handle, OpenCalls.GetLease, 0) == OpenCalls.ReadLease;

    private void GiveBack()
    {
        if (_held && !_file.Handle.IsClosed)
        {
            _ = OpenCalls.FileControl(_file.Handle, OpenCalls.SetLease, OpenCalls.NoLease);
        }

        _held = false;
    }
}
