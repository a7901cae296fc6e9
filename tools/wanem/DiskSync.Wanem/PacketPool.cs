namespace DiskSync.Wanem;

/// <summary>Memory for the packets on their way: slots of one MTU, made as they are needed and never given back.</summary>
/// <remarks>Steady traffic allocates nothing, so no garbage collection stops the packet loops. Not thread safe.</remarks>
internal sealed class PacketPool
{
    private const int SlotsPerChunk = 256;
    private readonly int _slotBytes;
    private readonly int _maxSlots;
    private readonly List<byte[]> _chunks = [];
    private readonly Stack<int> _free = new();

    /// <summary>Makes an empty pool.</summary>
    /// <param name="slotBytes">The largest packet.</param>
    /// <param name="maxBytes">How much memory the packets may take.</param>
    public PacketPool(int slotBytes, long maxBytes)
    {
        _slotBytes = slotBytes;
        _maxSlots = (int)Math.Clamp(maxBytes / slotBytes, SlotsPerChunk, int.MaxValue);
    }

    /// <summary>Takes a slot.</summary>
    /// <returns>False where all memory is in use.</returns>
    public bool TryRent(out int slot)
    {
        if (_free.Count == 0 && (_chunks.Count + 1) * SlotsPerChunk <= _maxSlots)
        {
            _chunks.Add(GC.AllocateUninitializedArray<byte>(SlotsPerChunk * _slotBytes, pinned: true));
            for (int i = SlotsPerChunk - 1; i >= 0; i--)
            {
                _free.Push(((_chunks.Count - 1) * SlotsPerChunk) + i);
            }
        }

        return _free.TryPop(out slot);
    }

    /// <summary>Gives a slot back.</summary>
    public void Return(int slot) => _free.Push(slot);

    /// <summary>A slot's bytes.</summary>
    public Span<byte> Bytes(int slot) =>
        _chunks[slot / SlotsPerChunk].AsSpan(slot % SlotsPerChunk * _slotBytes, _slotBytes);
}
