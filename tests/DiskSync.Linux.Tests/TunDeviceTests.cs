using System.Buffers.Binary;
using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class TunDeviceTests
{
    [Fact]
    public async Task What_the_interface_sends_is_read_and_what_is_written_it_receives()
    {
        using ScratchNetwork network = new();
        using TunDevice device = NetworkNamespace.Run(network.Name, () => TunDevice.Open("tun%d"));
        Assert.Equal("tun0", device.Name);
        Assert.Equal(0, device.Read(new byte[1500]));
        network.Ip("address", "add", "192.0.2.1/24", "dev", "tun0");
        network.Ip("link", "set", "tun0", "up");

        Task<(int Code, string Output, string Error)> ping =
            Task.Run(() => network.TryRun("ping", "-c", "1", "-W", "60", "192.0.2.9"));
        AnswerOnePing(device);
        (int code, string output, string error) = await ping;
        Assert.True(code == 0, output + error);
        Assert.Contains("64 bytes from 192.0.2.9", output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_interface_is_in_the_namespace_only_and_goes_with_its_owner()
    {
        using ScratchNetwork network = new();
        using (NetworkNamespace.Run(network.Name, () => TunDevice.Open("wanem-t")))
        {
            Assert.Contains("wanem-t", network.Ip("-br", "link"), StringComparison.Ordinal);
            Assert.DoesNotContain("wanem-t", Tool.Run("iproute2", "ip", "-br", "link"), StringComparison.Ordinal);
        }

        // A child process that another test is just starting may have a copy of the handle for a moment.
        Assert.True(SpinWait.SpinUntil(
            () => !network.Ip("-br", "link").Contains("wanem-t", StringComparison.Ordinal), TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void A_waiting_reader_is_told_when_a_packet_comes()
    {
        using ScratchNetwork network = new();
        using TunDevice device = NetworkNamespace.Run(network.Name, () => TunDevice.Open("tun7"));
        Assert.False(device.WaitForPacket(0));
        network.Ip("address", "add", "192.0.2.1/24", "dev", "tun7");
        network.Ip("link", "set", "tun7", "up");
        network.TryRun("ping", "-c", "1", "-W", "0.1", "192.0.2.9");
        Assert.True(device.WaitForPacket(60_000_000_000));
    }

    [Fact]
    public void A_packet_is_not_taken_while_the_interface_is_down()
    {
        using ScratchNetwork network = new();
        using TunDevice device = NetworkNamespace.Run(network.Name, () => TunDevice.Open("t"));
        Assert.False(device.TryWrite(new byte[20]));
    }

    [Fact]
    public void Names_that_cannot_be_are_refused_in_words()
    {
        using ScratchNetwork network = new();
        LinuxException tooLong = Assert.Throws<LinuxException>(() => TunDevice.Open("sixteen-bytes-xx"));
        Assert.Equal(
            "make the TUN interface sixteen-bytes-xx: an interface's name has at most 15 bytes (ENAMETOOLONG)", tooLong.Message);
        using TunDevice first = NetworkNamespace.Run(network.Name, () => TunDevice.Open("t"));
        Assert.Equal(
            Errno.EBUSY,
            Assert.Throws<LinuxException>(() => NetworkNamespace.Run(network.Name, () => TunDevice.Open("t"))).Errno);
    }

    [Fact]
    public void A_namespace_that_is_not_there_is_named()
    {
        LinuxException missing = Assert.Throws<LinuxException>(() => NetworkNamespace.Run("no-such-one", () => 0));
        Assert.Equal("open /run/netns/no-such-one: No such file or directory (ENOENT)", missing.Message);
        LinuxException other = Assert.Throws<LinuxException>(() => NetworkNamespace.Run("/proc/self/ns/pid", () => 0));
        Assert.Equal(Errno.EINVAL, other.Errno);
    }

    [Fact]
    public void The_caller_stays_in_its_own_namespace()
    {
        using ScratchNetwork network = new();
        static string? Here() => File.ResolveLinkTarget("/proc/thread-self/ns/net", returnFinalTarget: false)?.ToString();
        string? before = Here();
        string? inside = NetworkNamespace.Run(network.Name, Here);
        Assert.NotEqual(before, inside);
        Assert.Equal(before, Here());
    }

    // RFC 792: the reply is the request with type 0 instead of 8 and the addresses exchanged; the ICMP checksum grows
    // by what the type lost.
    private static void AnswerOnePing(TunDevice device)
    {
        byte[] packet = new byte[1500];
        while (true)
        {
            Assert.True(device.WaitForPacket(60_000_000_000), "no packet came");
            int length = device.Read(packet);
            if (length < 28 || packet[0] != 0x45 || packet[9] != 1 || packet[20] != 8)
            {
                continue;
            }

            (byte[] from, byte[] to) = (packet[12..16], packet[16..20]);
            to.CopyTo(packet, 12);
            from.CopyTo(packet, 16);
            packet[20] = 0;
            uint sum = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(22)) + 0x0800u;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(22), (ushort)(sum + (sum >> 16)));
            Assert.True(device.TryWrite(packet.AsSpan(0, length)));
            return;
        }
    }
}
