namespace DiskSync.Wanem;

/// <summary>Packets on their way, each until it is due.</summary>
/// <remarks>
/// Those in order stand in a ring, which costs the same at any length; only late ones need a heap. Not thread safe.
/// </remarks>
internal sealed class DelayLine
{
    private readonly PriorityQueue<Packet, long> _late = new();
    private Packet[] _ring = new Packet[256];
    private int _first;
    private int _count;

    /// <summary>How many packets are on their way.</summary>
    public int Count => _count + _late.Count;

    /// <summary>When the next packet is due; <see cref="long.MaxValue"/> where none is.</summary>
    public long NextDue => Math.Min(
        _count > 0 ? _ring[_first].Due : long.MaxValue, _late.TryPeek(out _, out long due) ? due : long.MaxValue);

    /// <summary>Adds a packet that is due no earlier than any before it that came this way.</summary>
    public void AddInOrder(Packet packet)
    {
        if (_count == _ring.Length)
        {
            Packet[] larger = new Packet[_ring.Length * 2];
            for (int i = 0; i < _count; i++)
            {
                larger[i] = _ring[(_first + i) % _ring.Length];
            }

            _ring = larger;
            _first = 0;
        }

        _ring[(_first + _count) % _ring.Length] = packet;
        _count++;
    }

    /// <summary>Adds a packet that others may overtake.</summary>
    public void AddLate(Packet packet) => _late.Enqueue(packet, packet.Due);

    /// <summary>Takes the next packet out if it is due.</summary>
    public bool TryTake(long now, out Packet packet)
    {
        bool fromLate = _late.TryPeek(out _, out long due) && (_count == 0 || due < _ring[_first].Due);
        if (fromLate ? due > now : _count == 0 || _ring[_first].Due > now)
        {
            packet = default;
            return false;
        }

        if (fromLate)
        {
            packet = _late.Dequeue();
            return true;
        }

        packet = _ring[_first];
        _first = (_first + 1) % _ring.Length;
        _count--;
        return true;
    }
}
