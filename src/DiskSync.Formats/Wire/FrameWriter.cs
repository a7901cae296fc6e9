using System.Buffers;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Wire;

/// <summary>Frames the messages of one connection and direction: numbers them and adds the CRC.</summary>
/// <remarks>
/// One for each connection and direction, from the first frame after the preamble; not thread safe, because the
/// order of calls is the order on the wire. Keeps one small buffer for encoding.
/// </remarks>
public sealed class FrameWriter
{
    private const int ScratchKept = 1 << 20;
    private ArrayBufferWriter<byte> _scratch = new(1024);
    private int _maxBody = WireLimits.MaxBody;

    /// <summary>How many frames were written; the next one's sequence number is this modulo 2^32.</summary>
    public ulong FramesWritten { get; private set; }

    /// <summary>The largest body the peer accepts, from its Hello or Welcome; <see cref="WireLimits.MaxBody"/> until then.</summary>
    public int MaxBody
    {
        get => _maxBody;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, WireLimits.MinMaxBody);
            _maxBody = Math.Min(value, WireLimits.MaxBody);
        }
    }

    /// <summary>Writes one control message; flushing is the caller's.</summary>
    /// <remarks>
    /// The count in an <see cref="End"/> is set here, whatever the message says: only here is it known which frame it
    /// becomes, as a Ping of another thread may come in between.
    /// </remarks>
    /// <param name="output">Where to.</param>
    /// <param name="image">The image's index, or <see cref="FrameHeader.NoImage"/>.</param>
    /// <param name="message">The message.</param>
    /// <exception cref="ArgumentException">The message breaks a cap, or its body is larger than the peer accepts: a bug, nothing was written.</exception>
    public void Write(IBufferWriter<byte> output, ushort image, Message message)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(message);
        if (_scratch.Capacity > ScratchKept)
        {
            _scratch = new ArrayBufferWriter<byte>(1024);
        }

        _scratch.ResetWrittenCount();
        FrameType type = MessageCodec.Encode(message is End ? new End(FramesWritten + 1) : message, _scratch);
        ReadOnlySpan<byte> body = _scratch.WrittenSpan;
        CheckFrame(type, image, body.Length);
        Span<byte> raw = output.GetSpan(FrameHeader.Size);
        WriteHeader(raw, type, image, (uint)FramesWritten, body.Length, body);
        output.Advance(FrameHeader.Size);
        output.Write(body);
        FramesWritten++;
    }

    /// <summary>Writes a batch; its payload is copied once, into <paramref name="output"/>.</summary>
    /// <inheritdoc cref="FinishBlocks"/>
    public void WriteBlocks(IBufferWriter<byte> output, ushort image, BlocksWriter batch)
    {
        ArgumentNullException.ThrowIfNull(output);
        output.Write(FinishBlocks(image, batch).Span);
    }

    /// <summary>Finishes a batch as one contiguous frame without copying its payload, for a caller that sends it from there.</summary>
    /// <param name="image">The image's index.</param>
    /// <param name="batch">A batch with at least one entry; it belongs to its owner throughout.</param>
    /// <returns>The frame, in the batch's buffer: valid until the batch's next Begin or Dispose. It has a sequence number, so it must be the next frame sent.</returns>
    /// <exception cref="ArgumentException">The body is larger than the peer accepts, or the image index is none.</exception>
    public ReadOnlyMemory<byte> FinishBlocks(ushort image, BlocksWriter batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        CheckFrame(FrameType.Blocks, image, batch.BodyLength);
        ReadOnlyMemory<byte> frame = batch.FinishFrame(image, (uint)FramesWritten);
        FramesWritten++;
        return frame;
    }

    /// <summary>Writes a header with its CRC.</summary>
    internal static void WriteHeader(
        Span<byte> raw, FrameType type, ushort image, uint sequence, int bodyLength, ReadOnlySpan<byte> covered)
    {
        new FrameHeader((uint)bodyLength, type, image, sequence, 0).Write(raw);
        uint crc = Crc32C.Append(Crc32C.Compute(raw[..FrameHeader.CheckedSize]), covered);
        new FrameHeader((uint)bodyLength, type, image, sequence, crc).Write(raw);
    }

    private void CheckFrame(FrameType type, ushort image, int length)
    {
        if (length > _maxBody)
        {
            throw new ArgumentException($"a {type} body of {length} bytes; the peer accepts {_maxBody}");
        }

        if (!WireLimits.IsImage(image) && (image != FrameHeader.NoImage || FrameReader.NeedsImage(type)))
        {
            throw new ArgumentException($"{type} with image index {image}", nameof(image));
        }
    }
}
