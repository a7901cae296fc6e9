using System.Buffers;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>A frame as a session handles it: a decoded control message, or the raw body of a Blocks frame.</summary>
/// <param name="Type">The frame's type.</param>
/// <param name="Image">The image that it speaks of, or 0xFFFF.</param>
/// <param name="Message">The decoded message; null for a Blocks frame.</param>
/// <param name="Body">A Blocks frame's body, valid until the next receive; empty otherwise.</param>
public readonly record struct ReceivedFrame(
    FrameType Type, ushort Image, Message? Message, ReadOnlySequence<byte> Body);
