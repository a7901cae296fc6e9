using System.Buffers;

namespace DiskSync.Formats.Wire;

/// <summary>One frame whose length, sequence number and CRC have been checked.</summary>
/// <param name="Header">Its header.</param>
/// <param name="Body">Its body: a slice of the reader's buffer, valid until the caller advances that buffer. Copy what must outlive it.</param>
/// <remarks>The body's content has not been checked: <see cref="MessageCodec"/> or <see cref="BlocksReader"/> does that.</remarks>
public readonly record struct Frame(FrameHeader Header, ReadOnlySequence<byte> Body)
{
    /// <summary>What the body is.</summary>
    public FrameType Type => Header.Type;

    /// <summary>The image's index, or <see cref="FrameHeader.NoImage"/>.</summary>
    public ushort Image => Header.Image;
}
