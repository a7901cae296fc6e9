using System.Numerics;

namespace DiskSync.Nbd.Server;

/// <summary>Memory for the data of requests that are under way, shared by all connections.</summary>
/// <remarks>
/// Thread safe. What comes back is kept: the runtime clears new memory, which takes as long as a copy of the data. The
/// shared pool of the runtime would not do: it keeps some for each thread that ever returned any, and gives twice of
/// what is asked for where a reply's head comes on top of a power of two.
/// </remarks>
/// <param name="most">Bytes that are kept while none are rented; rented and kept ones together stay below it where they can.</param>
internal sealed class NbdBuffers(long most)
{
    /// <summary>Room beyond a power of two, for the head of a reply.</summary>
    public const int HeadRoom = 64;

    private const int SmallestShift = 12;
    private readonly Lock _gate = new();
    private readonly Stack<byte[]>[] _kept = [.. Enumerable.Range(SmallestShift, 31 - SmallestShift).Select(_ => new Stack<byte[]>())];
    private long _rentedBytes;
    private long _keptBytes;

    /// <summary>Memory of at least a length; its content means nothing.</summary>
    public byte[] Rent(int length)
    {
        int kind = KindOf(length);
        lock (_gate)
        {
            int size = SizeOf(kind);
            _rentedBytes += size;
            if (_kept[kind].TryPop(out byte[]? kept))
            {
                _keptBytes -= size;
                return kept;
            }

            MakeRoom();
        }

        return GC.AllocateUninitializedArray<byte>(SizeOf(kind));
    }

    /// <summary>Takes memory back.</summary>
    /// <param name="buffer">From <see cref="Rent"/>, once.</param>
    public void Return(byte[] buffer)
    {
        lock (_gate)
        {
            _rentedBytes -= buffer.Length;
            if (_rentedBytes + _keptBytes + buffer.Length <= most)
            {
                _kept[KindOf(buffer.Length)].Push(buffer);
                _keptBytes += buffer.Length;
            }
        }
    }

    // What clients asked for before gives way to what they ask for now; the largest first.
    private void MakeRoom()
    {
        for (int kind = _kept.Length - 1; kind >= 0 && _rentedBytes + _keptBytes > most; kind--)
        {
            while (_rentedBytes + _keptBytes > most && _kept[kind].TryPop(out byte[]? given))
            {
                _keptBytes -= given.Length;
            }
        }
    }

    private static int KindOf(int length) =>
        Math.Max(0, BitOperations.Log2((uint)Math.Max(length - HeadRoom - 1, 1)) + 1 - SmallestShift);

    private static int SizeOf(int kind) => (1 << (kind + SmallestShift)) + HeadRoom;
}
