using DiskSync.Wanem;
using FsCheck.Xunit;

namespace DiskSync.Interop.Tests.Wanem;

public sealed class DelayLineTests
{
    [Fact]
    public void Nothing_comes_out_before_it_is_due()
    {
        DelayLine line = new();
        Assert.Equal(long.MaxValue, line.NextDue);
        line.AddInOrder(new Packet(1, 100, 50));
        Assert.Equal(50, line.NextDue);
        Assert.False(line.TryTake(49, out _));
        Assert.True(line.TryTake(50, out Packet packet));
        Assert.Equal(new Packet(1, 100, 50), packet);
        Assert.Equal(0, line.Count);
        Assert.False(line.TryTake(long.MaxValue, out _));
    }

    [Property]
    public void Packets_come_out_as_they_are_due_and_those_in_order_stay_so((ushort Due, bool Late)[] packets)
    {
        DelayLine line = new();
        List<Packet> expected = [];
        long last = 0;
        for (int i = 0; i < packets.Length; i++)
        {
            Packet packet = new(i, 1, packets[i].Late ? packets[i].Due : last = Math.Max(last, packets[i].Due));
            (packets[i].Late ? (Action<Packet>)line.AddLate : line.AddInOrder)(packet);
            expected.Add(packet);
        }

        List<Packet> taken = [];
        for (long now = 0; line.Count > 0; now = line.NextDue)
        {
            while (line.TryTake(now, out Packet packet))
            {
                taken.Add(packet);
            }
        }

        Assert.Equal(expected.Select(p => p.Due).Order(), taken.Select(p => p.Due));
        Assert.Equal(expected.Select(p => p.Slot).Order(), taken.Select(p => p.Slot).Order());
        int[] inOrder = [.. taken.Select(p => p.Slot).Where(slot => !packets[slot].Late)];
        Assert.Equal(inOrder.Order(), inOrder);
    }

    [Fact]
    public void A_line_that_grows_while_it_has_wrapped_around_loses_nothing()
    {
        DelayLine line = new();
        int put = 0;
        int taken = 0;
        for (int round = 1; round <= 2000; round++)
        {
            line.AddInOrder(new Packet(put, 1, put++));
            line.AddInOrder(new Packet(put, 1, put++));
            Assert.True(line.TryTake(long.MaxValue - 1, out Packet packet));
            Assert.Equal(taken++, packet.Slot);
        }

        while (line.TryTake(long.MaxValue - 1, out Packet packet))
        {
            Assert.Equal(taken++, packet.Slot);
        }

        Assert.Equal(put, taken);
    }
}
