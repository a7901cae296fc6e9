using DiskSync.Codecs;

namespace DiskSync.Engine.Replication;

/// <summary>What a push did.</summary>
/// <param name="Path">Where the image is at the destination.</param>
/// <param name="Root">The root hash that both sides have.</param>
/// <param name="Rounds">The copy, and a repair round for each time that something read back wrong.</param>
/// <param name="BytesReadBack">How much the destination read back from its medium to prove it.</param>
/// <param name="BytesSent">Bytes from source to destination, everything included.</param>
/// <param name="BytesReceived">Bytes from destination to source.</param>
/// <param name="BaseUsed">The base that the copy started from, or empty.</param>
/// <param name="Resumed">Whether an earlier run's staged copy was gone on with.</param>
/// <param name="Notice">What the destination wants its user to know, or empty.</param>
/// <param name="VerifyTime">How long the proof took.</param>
/// <param name="Elapsed">How long all of it took, connecting left out.</param>
public sealed record PushResult(
    string Path,
    Hash256 Root,
    IReadOnlyList<RoundResult> Rounds,
    long BytesReadBack,
    long BytesSent,
    long BytesReceived,
    string BaseUsed,
    bool Resumed,
    string Notice,
    TimeSpan VerifyTime,
    TimeSpan Elapsed)
{
    /// <summary>The most connections that were open at once.</summary>
    public int Connections { get; init; } = 1;

    /// <summary>How many connections were lost on the way, and what was on them sent again.</summary>
    public int LostConnections { get; init; }

    /// <summary>What it rested on that the source was as it was taken to be.</summary>
    public required SourceBasis Basis { get; init; }
}
