using System.Buffers;
using System.Buffers.Binary;

namespace DiskSync.Formats.Wire;

/// <summary>Cuts the bytes of one connection and direction into frames and checks them.</summary>
/// <remarks>
/// One for each connection and direction, from the first byte after the preamble; not thread safe. Allocates
/// nothing. After an exception the stream has lost its meaning: close the connection, do not read on.
/// </remarks>
public sealed class FrameReader
{
    private const string Format = "wire frame";
    private readonly int _maxBody;
    private long _offset;

    /// <summary>Starts at the first frame.</summary>
    /// <param name="maxBody">The largest body accepted: what this side said in Hello or Welcome.</param>
    public FrameReader(int maxBody = WireLimits.MaxBody)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBody, WireLimits.MinMaxBody);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxBody, WireLimits.MaxBody);
        _maxBody = maxBody;
    }

    /// <summary>How many frames were read; the next one's sequence number is this modulo 2^32.</summary>
    public ulong FramesRead { get; private set; }

    /// <summary>After a call that found no whole frame: how many bytes the buffer must have for the next call to get further.</summary>
    public int Needed { get; private set; } = FrameHeader.Size;

    /// <summary>Takes the next frame off the front of a buffer.</summary>
    /// <param name="buffer">What has arrived; on success it starts after the frame.</param>
    /// <param name="frame">The frame; its body is a slice of <paramref name="buffer"/>.</param>
    /// <returns>False where the frame has not arrived whole; the buffer is untouched. A bad header throws before its body is waited for.</returns>
    /// <exception cref="FormatViolationException">Over the cap, out of sequence, wrong CRC, no such image index.</exception>
    public bool TryRead(ref ReadOnlySequence<byte> buffer, out Frame frame)
    {
        frame = default;
        Needed = FrameHeader.Size;
        if (buffer.Length < FrameHeader.Size)
        {
            return false;
        }

        Span<byte> raw = stackalloc byte[FrameHeader.Size];
        buffer.Slice(0, FrameHeader.Size).CopyTo(raw);
        FrameHeader header = FrameHeader.Read(raw);
        Check(header);
        if (buffer.Length - FrameHeader.Size < header.Length)
        {
            Needed = FrameHeader.Size + (int)header.Length;
            return false;
        }

        ReadOnlySequence<byte> body = buffer.Slice(FrameHeader.Size, header.Length);
        ReadOnlySequence<byte> covered = header.Type == FrameType.Blocks ? body.Slice(0, TableEnd(body)) : body;
        uint crc = Crc32C.Append(Crc32C.Compute(raw[..FrameHeader.CheckedSize]), covered);
        if (crc != header.Crc)
        {
            throw Violation(12, $"CRC {header.Crc:x8} in frame {FramesRead} ({header.Type})", $"{crc:x8}");
        }

        buffer = buffer.Slice(body.End);
        _offset += FrameHeader.Size + header.Length;
        FramesRead++;
        frame = new Frame(header, body);
        return true;
    }

    private void Check(FrameHeader header)
    {
        // The sequence number first: a stream that has slipped is recognised by it, and its "length" means nothing.
        if (header.Sequence != (uint)FramesRead)
        {
            throw Violation(8, $"sequence number {header.Sequence}", $"{(uint)FramesRead}");
        }

        if (header.Length > (uint)_maxBody)
        {
            throw Violation(0, $"a body of {header.Length} bytes ({header.Type})", $"at most {_maxBody}");
        }

        if (!WireLimits.IsImage(header.Image) && (header.Image != FrameHeader.NoImage || NeedsImage(header.Type)))
        {
            throw Violation(6, $"image {header.Image} ({header.Type})", $"an index below {WireLimits.MaxImages}");
        }

        if (header.Type == FrameType.Blocks && header.Length < BlocksLayout.PrefixSize)
        {
            throw Violation(0, $"a Blocks body of {header.Length} bytes", $"at least {BlocksLayout.PrefixSize}");
        }
    }

    /// <summary>Whether a type makes no sense without an image.</summary>
    internal static bool NeedsImage(FrameType type) =>
        type is FrameType.OpenImage or FrameType.ImageReady or FrameType.SubHashRequest or FrameType.SubHashes
            or FrameType.CloseImage or FrameType.ImageClosed or FrameType.Blocks or FrameType.BatchAck
            or FrameType.Verify or FrameType.Verified or FrameType.Seal or FrameType.Sealed or FrameType.BlockRequest
            or FrameType.SeedRequest or FrameType.Seeds;

    private long TableEnd(in ReadOnlySequence<byte> body)
    {
        Span<byte> prefix = stackalloc byte[BlocksLayout.PrefixSize];
        body.Slice(0, BlocksLayout.PrefixSize).CopyTo(prefix);
        uint entries = BinaryPrimitives.ReadUInt16LittleEndian(prefix[BlocksLayout.CountAt..]);
        long end = BlocksLayout.TableEnd(entries);
        return entries <= WireLimits.MaxBatchEntries && end <= body.Length
            ? end
            : throw Violation(
                FrameHeader.Size + BlocksLayout.CountAt,
                $"{entries} entries in a body of {body.Length} bytes",
                $"at most {WireLimits.MaxBatchEntries} entries that fit");
    }

    private FormatViolationException Violation(int at, string found, string expected) =>
        new(Format, _offset + at, found, expected);
}
