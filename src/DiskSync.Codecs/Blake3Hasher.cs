using System.Numerics;
using System.Runtime.CompilerServices;
using static DiskSync.Codecs.Blake3Constants;

namespace DiskSync.Codecs;

/// <summary>BLAKE3 of input that arrives in pieces.</summary>
/// <remarks>
/// Give large pieces, 16 KiB and more, for full speed. The object itself is the only allocation. Not safe for use
/// by two threads at once. <see cref="Finalize()"/> leaves the state as it is, so it may be called midway and the
/// input go on.
/// </remarks>
public sealed class Blake3Hasher
{
    private readonly uint _flags;
    private readonly int _lanes;
    private Key _key;
    private Buffer _buffer;
    private int _buffered;
    private Blake3CvStack _stack;
    private ulong _chunks;

    /// <summary>Starts a plain hash.</summary>
    public Blake3Hasher()
        : this(Iv, 0, Blake3Kernels.WidestLanes)
    {
    }

    /// <summary>Starts a hash with a chosen key, mode and kernel.</summary>
    internal Blake3Hasher(ReadOnlySpan<uint> key, uint flags, int lanes)
    {
        key[..CvWords].CopyTo(_key);
        _flags = flags;
        _lanes = lanes;
    }

    /// <summary>Starts a keyed hash.</summary>
    /// <param name="key">32 bytes.</param>
    /// <exception cref="ArgumentException">The key has not 32 bytes.</exception>
    public static Blake3Hasher NewKeyed(ReadOnlySpan<byte> key)
    {
        Span<uint> words = stackalloc uint[CvWords];
        Blake3.ReadKey(key, words);
        return new Blake3Hasher(words, KeyedHash, Blake3Kernels.WidestLanes);
    }

    /// <summary>Starts a key derivation; the material is the input.</summary>
    /// <param name="context">Hard-coded, globally unique text that names the application and the purpose.</param>
    public static Blake3Hasher NewDeriveKey(string context)
    {
        Span<uint> words = stackalloc uint[CvWords];
        Blake3.ContextKey(context, words);
        return new Blake3Hasher(words, DeriveKeyMaterial, Blake3Kernels.WidestLanes);
    }

    /// <summary>Takes the next piece of the input.</summary>
    /// <param name="data">Any length; not kept.</param>
    [SkipLocalsInit]
    public void Update(ReadOnlySpan<byte> data)
    {
        Span<byte> buffer = _buffer;
        if (_buffered > 0)
        {
            int take = Math.Min(data.Length, ChunkLength - _buffered);
            data[..take].CopyTo(buffer[_buffered..]);
            _buffered += take;
            data = data[take..];
            if (data.IsEmpty)
            {
                // A full chunk stays where it is: it may be the root.
                return;
            }

            FlushChunk();
        }

        Span<uint> cvs = stackalloc uint[Blake3Tree.GroupChunks * CvWords];
        while (data.Length > ChunkLength)
        {
            // The largest complete subtree that starts here: a power of two of chunks that divides the chunks so
            // far. More than one chunk goes onto the stack as the two halves, for the same reason as above.
            uint available = (uint)Math.Min(data.Length / ChunkLength, Blake3Tree.GroupChunks);
            int count = 1 << BitOperations.Log2(available);
            if (_chunks != 0)
            {
                count = (int)Math.Min((ulong)count, 1UL << BitOperations.TrailingZeroCount(_chunks));
            }

            if (count == 1)
            {
                Blake3Node.Chunk(data[..ChunkLength], _key, _chunks, _flags, _lanes).ChainingValue(cvs, _lanes);
                _stack.Push(cvs, _chunks, _key, _flags, _lanes);
            }
            else
            {
                ReadOnlySpan<byte> subtree = data[..(count * ChunkLength)];
                Blake3Tree.HashToPair(subtree, _key, _chunks, _flags, [], cvs, _lanes);
                _stack.Push(cvs, _chunks, _key, _flags, _lanes);
                _stack.Push(cvs[CvWords..], _chunks + (ulong)(count / 2), _key, _flags, _lanes);
            }

            _chunks += (ulong)count;
            data = data[(count * ChunkLength)..];
        }

        data.CopyTo(buffer);
        _buffered = data.Length;
    }

    /// <summary>The hash of everything taken so far, to an output of any length.</summary>
    /// <param name="output">Filled wholly.</param>
    public void Finalize(Span<byte> output) => Finalize(output, 0);

    /// <summary>A part of the extended output (paper, section 2.6).</summary>
    /// <param name="output">Filled wholly.</param>
    /// <param name="seek">Position of its first byte in the extended output.</param>
    public void Finalize(Span<byte> output, ulong seek) => Root().RootOutput(output, seek);

    /// <summary>The hash of everything taken so far.</summary>
#pragma warning disable CA1063, CS0465 // The name is that of the BLAKE3 interface; no finalizer is meant.
    public Hash256 Finalize() => Root().RootHash(_lanes);
#pragma warning restore CA1063, CS0465

    /// <summary>Starts again with the same key and mode.</summary>
    public void Reset()
    {
        _buffered = 0;
        _chunks = 0;
        _stack.Clear();
    }

    private void FlushChunk()
    {
        Span<uint> cv = stackalloc uint[CvWords];
        Blake3Node.Chunk(_buffer, _key, _chunks, _flags, _lanes).ChainingValue(cv, _lanes);
        _stack.Push(cv, _chunks, _key, _flags, _lanes);
        _chunks++;
        _buffered = 0;
    }

    private Blake3Node Root()
    {
        Blake3CvStack stack = _stack;
        if (_buffered == 0 && _chunks > 0)
        {
            return stack.JoinAll(_key, _flags, _lanes);
        }

        stack.MergeTo(BitOperations.PopCount(_chunks), _key, _flags, _lanes);
        ReadOnlySpan<byte> rest = ((ReadOnlySpan<byte>)_buffer)[.._buffered];
        return stack.Join(Blake3Node.Chunk(rest, _key, _chunks, _flags, _lanes), _key, _flags, _lanes);
    }

    [InlineArray(ChunkLength)]
    private struct Buffer
    {
        private byte _first;
    }

    [InlineArray(CvWords)]
    private struct Key
    {
        private uint _first;
    }
}
