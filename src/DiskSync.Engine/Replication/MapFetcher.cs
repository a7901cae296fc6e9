using DiskSync.Codecs;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Fetches the block hashes that a destination holds, in pieces, as runs.</summary>
internal static class MapFetcher
{
    // Two requests on their way keep the link busy between answers.
    private const int Ahead = 2;

    /// <summary>Fetches all block hashes of a subject.</summary>
    /// <param name="session">The session.</param>
    /// <param name="image">The image's index.</param>
    /// <param name="subject">A base's root, or unknown for the image being received.</param>
    /// <param name="blockCount">How many blocks there are.</param>
    /// <param name="take">Called with each run in order: first block, count, hash.</param>
    /// <param name="cancellationToken">Ends the fetch.</param>
    public static async Task FetchAsync(
        SourceSession session,
        ushort image,
        Hash256 subject,
        long blockCount,
        Action<long, long, Hash256> take,
        CancellationToken cancellationToken)
    {
        Queue<(long First, long Count, Task<MapData> Answer)> pending = new();
        long next = 0;
        while (next < blockCount || pending.Count > 0)
        {
            while (next < blockCount && pending.Count < Ahead)
            {
                long count = Math.Min(WireLimits.MaxMapNodes, blockCount - next);
                pending.Enqueue((next, count, session.RequestAsync<MapData>(
                    image, new MapRequest(subject, 0, (ulong)next, (uint)count), cancellationToken)));
                next += count;
            }

            (long first, long expected, Task<MapData> answer) = pending.Dequeue();
            MapData data = await answer;
            long block = first;
            foreach (HashRun run in data.Runs)
            {
                if (run.Count > expected - (block - first))
                {
                    break;
                }

                take(block, run.Count, run.Hash);
                block += run.Count;
            }

            if (data.Level != 0 || data.First != (ulong)first || block - first != expected)
            {
                throw new TransportLostException(
                    $"{session.Peer} was asked for the hashes of {expected} blocks from {first} and sent others");
            }
        }
    }
}
