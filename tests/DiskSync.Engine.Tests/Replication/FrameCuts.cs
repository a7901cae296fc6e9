using System.Buffers.Binary;
using DiskSync.Formats.Wire;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>Where the frames end in the bytes of one direction.</summary>
internal static class FrameCuts
{
    private const int HeaderSize = 16;

    public static IReadOnlyList<long> Of(byte[] traffic)
    {
        List<long> ends = [];
        long at = Preamble.Size;
        while (at < traffic.Length)
        {
            ends.Add(at);
            at += HeaderSize + BinaryPrimitives.ReadUInt32LittleEndian(traffic.AsSpan((int)at));
        }

        return ends;
    }
}
