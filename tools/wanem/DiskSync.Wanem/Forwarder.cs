using System.Diagnostics;
using DiskSync.Linux;

namespace DiskSync.Wanem;

/// <summary>Carries the packets of one direction, on a thread of its own.</summary>
internal sealed class Forwarder
{
    // Large enough that a busy link is worth one look at the clock, small enough that neither end waits for the other.
    private const int Batch = 64;

    // After work the thread rests so long before it looks again: on a busy link it then wakes up for several packets
    // at once, which takes less than half the processor time. To be as often early as late, it hands on what is due
    // within half of that. Packets that come alone are exact.
    private const long Rest = 200_000;

    // How soon a quiet thread sees that it should end.
    private const long LongestWait = 100_000_000;

    private readonly TunDevice _from;
    private readonly TunDevice _to;
    private readonly LinkModel _model;
    private readonly PacketPool _pool;
    private readonly DelayLine _line = new();
    private readonly Thread _thread;
    private readonly byte[] _scrap = new byte[1];
    private long _handedOn;
    private volatile bool _stopping;

    /// <summary>Makes a direction; the devices are lent to it.</summary>
    public Forwarder(string name, TunDevice from, TunDevice to, LinkModel model, PacketPool pool)
    {
        _from = from;
        _to = to;
        _model = model;
        _pool = pool;
        Name = name;
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    /// <summary>The direction, for people.</summary>
    public string Name { get; }

    /// <summary>What became of its packets; read it after <see cref="Stop"/>.</summary>
    public LinkCounters Counters { get; } = new();

    /// <summary>Why it ended by itself, or null.</summary>
    public LinuxException? Failure { get; private set; }

    private static long Now => Stopwatch.GetTimestamp();

    /// <summary>Starts it.</summary>
    public void Start() => _thread.Start();

    /// <summary>Ends it; packets on their way are thrown away.</summary>
    public void Stop()
    {
        _stopping = true;
        _thread.Join();
    }

    private void Run()
    {
        // As a router's kernel goes before its programs: a busy machine must not add to the delay.
        ThreadScheduling.TryRaise();
        try
        {
            while (!_stopping)
            {
                long before = Counters.Packets + _handedOn;
                bool more = TakeIn();
                more |= HandOn();
                if (more)
                {
                    continue;
                }

                if (Counters.Packets + _handedOn > before)
                {
                    ThreadScheduling.Sleep(_line.Count > 1 ? Rest : Math.Min(Rest, _line.NextDue - Now));
                }
                else
                {
                    _from.WaitForPacket(Math.Min(LongestWait, _line.NextDue - Now));
                }
            }
        }
        catch (LinuxException exception)
        {
            Failure = exception;
        }
    }

    // True where more may be waiting.
    private bool TakeIn()
    {
        for (int i = 0; i < Batch; i++)
        {
            bool room = _pool.TryRent(out int slot);
            Span<byte> bytes = room ? _pool.Bytes(slot) : _scrap;
            int length = _from.Read(bytes);
            if (length == 0)
            {
                if (room)
                {
                    _pool.Return(slot);
                }

                return false;
            }

            Counters.Packets++;
            if (!room)
            {
                Counters.NoMemory++;
                continue;
            }

            Counters.Bytes += length;
            if (!Enter(slot, length))
            {
                _pool.Return(slot);
            }
        }

        return true;
    }

    private bool Enter(int slot, int length)
    {
        switch (_model.Admit(length, Now, out long due))
        {
            case Verdict.Lost:
                Counters.Lost++;
                return false;
            case Verdict.QueueFull:
                Counters.QueueFull++;
                return false;
            case Verdict.Late:
                Counters.Reordered++;
                _line.AddLate(new Packet(slot, length, due));
                return true;
            default:
                _line.AddInOrder(new Packet(slot, length, due));
                return true;
        }
    }

    // True where more are due.
    private bool HandOn()
    {
        for (int i = 0; i < Batch; i++)
        {
            long now = Now;
            if (!_line.TryTake(now + (Rest / 2), out Packet packet))
            {
                return false;
            }

            _handedOn++;
            if (_to.TryWrite(_pool.Bytes(packet.Slot)[..packet.Length]))
            {
                Counters.Delivered++;
            }
            else
            {
                Counters.Refused++;
            }

            _pool.Return(packet.Slot);
            long late = Math.Max(0, now - packet.Due);
            Counters.LateTotal += late;
            Counters.LateMost = Math.Max(Counters.LateMost, late);
            Counters.LateByMilliseconds += late > 1_000_000 ? 1 : 0;
        }

        return true;
    }
}
