using System.Buffers;
using System.Diagnostics;
using DiskSync.Codecs;

namespace DiskSync.Engine.Replication;

/// <summary>Encodes a sample of a batch with two codecs, where the policy asks for it; what comes out is thrown away.</summary>
/// <param name="packer">Lends the contexts of zstd.</param>
/// <remarks>Thread safe.</remarks>
internal sealed class CodecProber(BatchPacker packer)
{
    private const int SampleBytes = 256 << 10;
    private const int Lz4BlockBytes = 64 << 10;

    /// <summary>Probes, where it is time to and the batch starts with enough bytes that will travel whole.</summary>
    /// <param name="batch">A filled batch, not encoded yet.</param>
    /// <param name="policy">Asked, and told.</param>
    public void Probe(SendBatch batch, CompressionPolicy policy)
    {
        int bytes = 0;
        foreach (SendBlock block in batch.Blocks)
        {
            if (bytes >= SampleBytes || block.Basis != PatchBasis.None)
            {
                break;
            }

            bytes += block.Length;
        }

        if (bytes < SampleBytes || policy.NextProbe() is not { } probe)
        {
            return;
        }

        ReadOnlySpan<byte> sample = batch.Slots(0, SampleBytes);
        if (!NoiseCheck.IsNoise(sample))
        {
            policy.Compared(Encode(sample, probe.Current), Encode(sample, probe.Candidate));
        }
    }

    private EncodedSample Encode(ReadOnlySpan<byte> sample, BatchCodec codec)
    {
        byte[] room = ArrayPool<byte>.Shared.Rent(SampleBytes);
        long start = Stopwatch.GetTimestamp();
        int after = codec.Kind switch
        {
            CodecKind.Lz4 => Lz4Length(sample, room),
            CodecKind.Zstd => packer.LengthOf(sample, room.AsSpan(0, sample.Length), codec.Level),
            _ => sample.Length,
        };
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        ArrayPool<byte>.Shared.Return(room);
        return new EncodedSample(codec, sample.Length, after, elapsed);
    }

    private static int Lz4Length(ReadOnlySpan<byte> sample, Span<byte> room)
    {
        int length = 0;
        for (int at = 0; at < sample.Length; at += Lz4BlockBytes)
        {
            int packed = Lz4.Compress(sample.Slice(at, Lz4BlockBytes), room[..Lz4BlockBytes]);
            length += packed == 0 ? Lz4BlockBytes : packed;
        }

        return length;
    }
}
