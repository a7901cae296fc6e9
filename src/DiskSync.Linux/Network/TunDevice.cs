using System.Text;
using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>The inner end of a TUN device: what its interface sends is read here, and what is written here it receives.</summary>
/// <remarks>
/// Packets are bare IPv4 or IPv6 packets (IFF_TUN, IFF_NO_PI), one a call. The interface exists as long as this object
/// does, in the network namespace of the thread that opened it (<see cref="NetworkNamespace.Run"/>); addresses, MTU and
/// state are set with <c>ip</c>. One thread may read while another writes. Documentation/networking/tuntap.rst.
/// </remarks>
public sealed unsafe class TunDevice : IDisposable
{
    private const string Clone = "/dev/net/tun";
    private readonly LinuxFile _file;

    private TunDevice(LinuxFile file, string name)
    {
        _file = file;
        Name = name;
    }

    /// <summary>The interface's name.</summary>
    public string Name { get; }

    /// <summary>Makes a TUN interface in the calling thread's network namespace.</summary>
    /// <param name="name">Its name, at most 15 bytes; "tun%d" lets the kernel choose the number.</param>
    /// <exception cref="LinuxException">
    /// This user may not (CAP_NET_ADMIN), the name is taken (EBUSY), or the kernel has no TUN (ENOENT).
    /// </exception>
    public static TunDevice Open(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Call.CheckPath("make the TUN interface", name);
        if (Encoding.UTF8.GetByteCount(name) > InterfaceRequest.MaxNameBytes)
        {
            throw new LinuxException(
                Errno.ENAMETOOLONG, "make the TUN interface", name, detail: "an interface's name has at most 15 bytes");
        }

        // Opened without waiting (LinuxFile does so), so that reads return at once where no packet waits.
        LinuxFile file = LinuxFile.Open(Clone, LinuxOpen.ReadWrite);
        try
        {
            InterfaceRequest request = default;
            request.SetName(name);
            request.Flags = NetworkCalls.Tun | NetworkCalls.NoPacketInformation;
            return Ioctls.Control(file.Handle, NetworkCalls.SetInterface, &request) < 0
                ? throw LinuxException.Last("make the TUN interface", name)
                : new TunDevice(file, request.Name);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Takes the next packet that the interface sent.</summary>
    /// <param name="packet">Where to; as large as the interface's MTU, else a packet is cut.</param>
    /// <returns>The packet's bytes; 0 where none waits or the interface is down.</returns>
    /// <exception cref="LinuxException">The interface is gone (EBADFD, where its namespace was removed).</exception>
    public int Read(Span<byte> packet)
    {
        nint read;
        fixed (byte* start = packet)
        {
            do
            {
                read = NetworkCalls.Read(_file.Handle, start, packet.Length);
            }
            while (Call.Again(read));
        }

        // EIO: the interface is down, which is no error but what its user wanted.
        return read >= 0 ? (int)read
            : Call.Error is Errno.EAGAIN or Errno.EIO ? 0
            : throw LinuxException.Last("read a packet from", Name);
    }

    /// <summary>Lets the interface receive a packet.</summary>
    /// <returns>False where the kernel did not take it: the interface is down, or it is no IP packet.</returns>
    public bool TryWrite(ReadOnlySpan<byte> packet)
    {
        nint written;
        fixed (byte* start = packet)
        {
            do
            {
                written = NetworkCalls.Write(_file.Handle, start, packet.Length);
            }
            while (Call.Again(written));
        }

        return written == packet.Length;
    }

    /// <summary>Waits until a packet can be read or the time is over.</summary>
    /// <param name="nanoseconds">How long at most; 0 only looks. The kernel adds the thread's timer slack (50 µs).</param>
    /// <returns>Whether a packet waits.</returns>
    public bool WaitForPacket(long nanoseconds)
    {
        bool held = false;
        try
        {
            _file.Handle.DangerousAddRef(ref held);
            PollEntry entry = new() { File = (int)_file.Handle.DangerousGetHandle(), Wanted = NetworkCalls.Readable };
            TimeSpec time = TimeSpec.Of(nanoseconds);
            return NetworkCalls.Poll(&entry, 1, &time, null) > 0;
        }
        finally
        {
            if (held)
            {
                _file.Handle.DangerousRelease();
            }
        }
    }

    /// <summary>Takes the interface away.</summary>
    public void Dispose() => _file.Dispose();
}
