using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Asks the destination which contents of a batch it has in other images, as long as asking is of use.</summary>
/// <remarks>
/// A question costs 32 bytes a block and a round trip, which the batches in flight hide. Where the destination knows
/// nothing it is not asked again, and where it rarely knows something only now and then. Thread safe.
/// </remarks>
/// <param name="session">The session.</param>
/// <param name="index">The image's index in it.</param>
/// <param name="image">The image.</param>
/// <param name="mayHave">Whether the destination may have any; if not, it is never asked.</param>
internal sealed class SeedAsker(SourceSession session, ushort index, ImageContext image, bool mayHave)
{
    // One hit in so many questions pays for them: a block is two thousand times as long as its question.
    private const int WorthAsking = 256;
    private const int AskOneIn = 16;

    private readonly bool _canAsk = mayHave && session.Capabilities.HasFlag(Capability.Seed);
    private bool _isOfNoUse;
    private long _asked;
    private long _found;
    private int _batches;

    /// <summary>Asks about the blocks that would travel whole.</summary>
    /// <returns>The numbers of the blocks whose content is there.</returns>
    public async Task<HashSet<long>> AskAsync(SendBatch batch, CancellationToken cancellationToken)
    {
        HashSet<long> there = [];
        if (!_canAsk || Volatile.Read(ref _isOfNoUse) || !IsTimely())
        {
            return there;
        }

        SendBlock[] blocks = [.. batch.Blocks.Where(b => b.Basis != PatchBasis.Content && !image.RequiresLiteral(b.Block))];
        if (blocks.Length == 0)
        {
            return there;
        }

        Seeds answer = await session.RequestAsync<Seeds>(
            index, new SeedRequest([.. blocks.Select(b => b.Hash)]), cancellationToken);
        Volatile.Write(ref _isOfNoUse, answer.Known == 0);
        Interlocked.Add(ref _asked, blocks.Length);
        Interlocked.Add(ref _found, answer.Found.Count);
        foreach (ushort place in answer.Found)
        {
            if (place >= blocks.Length)
            {
                throw new TransportLostException(
                    $"{session.Peer} was asked for {blocks.Length} contents and found number {place + 1}");
            }

            there.Add(blocks[place].Block);
        }

        return there;
    }

    private bool IsTimely()
    {
        bool pays = Interlocked.Read(ref _found) * WorthAsking >= Interlocked.Read(ref _asked) - WorthAsking;
        return pays || Interlocked.Increment(ref _batches) % AskOneIn == 0;
    }
}
