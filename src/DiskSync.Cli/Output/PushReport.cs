using System.Globalization;
using DiskSync.Engine;
using DiskSync.Engine.Replication;

namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync push --json</c> prints.</summary>
/// <param name="Image">The source as the user named it.</param>
/// <param name="Destination">The destination as the user named it.</param>
/// <param name="Path">Where the image is at the destination.</param>
/// <param name="Length">Bytes of the image.</param>
/// <param name="Root">The root hash of both sides.</param>
/// <param name="Identical">Always true: a push whose proof fails is an error.</param>
/// <param name="BaseUsed">The base that the copy started from, or null.</param>
/// <param name="Resumed">Whether an earlier run was gone on with.</param>
/// <param name="BlocksScanned">Blocks looked at.</param>
/// <param name="BlocksChanged">Blocks that the destination did not hold.</param>
/// <param name="ZeroBlocks">Of those, zeros.</param>
/// <param name="PatchedBlocks">Of those, sent as 4 KiB patches.</param>
/// <param name="CopiedBlocks">Of those, copied at the destination.</param>
/// <param name="ChangedBytes">Bytes of the changed blocks, zeros left out.</param>
/// <param name="PayloadBytes">Payload before compression.</param>
/// <param name="EncodedBytes">Payload as sent.</param>
/// <param name="Codecs">What of it went with which codec, the most used one first.</param>
/// <param name="BytesSent">Bytes to the destination, everything included.</param>
/// <param name="BytesReceived">Bytes from the destination.</param>
/// <param name="Connections">The most connections that were open at once.</param>
/// <param name="LostConnections">Connections that were lost on the way, and what was on them sent again.</param>
/// <param name="BytesReadBack">Bytes that the destination read back from its medium.</param>
/// <param name="CopySeconds">How long the rounds took.</param>
/// <param name="VerifySeconds">How long the proof took.</param>
/// <param name="TotalSeconds">How long all of it took.</param>
/// <param name="IdenticalAlready">Whether the destination had the same image already, so that nothing was opened or sent there.</param>
/// <param name="MapSavedAt">When the map was saved that was believed instead of reading the source, or null.</param>
/// <param name="AuditedBlocks">How many of its blocks were read and compared with it.</param>
/// <param name="ScannedBecause">Why all of the source was read, or null.</param>
/// <param name="OpenedBecause">Why the destination was opened although the map of the source was believed, or null.</param>
/// <param name="MapNotSavedBecause">Why the next push cannot start from this one's map, or null.</param>
/// <param name="Rounds">The rounds.</param>
internal sealed record PushReport(
    string Image,
    string Destination,
    string Path,
    long Length,
    string Root,
    bool Identical,
    string? BaseUsed,
    bool Resumed,
    long BlocksScanned,
    long BlocksChanged,
    long ZeroBlocks,
    long PatchedBlocks,
    long CopiedBlocks,
    long ChangedBytes,
    long PayloadBytes,
    long EncodedBytes,
    IReadOnlyList<CodecReport> Codecs,
    long BytesSent,
    long BytesReceived,
    int Connections,
    int LostConnections,
    long BytesReadBack,
    double CopySeconds,
    double VerifySeconds,
    double TotalSeconds,
    bool IdenticalAlready,
    DateTimeOffset? MapSavedAt,
    int AuditedBlocks,
    string? ScannedBecause,
    string? OpenedBecause,
    string? MapNotSavedBecause,
    IReadOnlyList<RoundReport> Rounds)
{
    /// <summary>Builds the report of a push.</summary>
    public static PushReport Of(string image, string destination, long length, PushResult result) => new(
        image,
        destination,
        result.Path,
        length,
        result.Root.ToString(),
        true,
        result.BaseUsed.Length > 0 ? result.BaseUsed : null,
        result.Resumed,
        result.Rounds.Sum(r => r.BlocksScanned),
        result.Rounds.Sum(r => r.BlocksChanged),
        result.Rounds.Sum(r => r.ZeroBlocks),
        result.Rounds.Sum(r => r.PatchedBlocks),
        result.Rounds.Sum(r => r.CopiedBlocks),
        result.Rounds.Sum(r => r.ChangedBytes),
        result.Rounds.Sum(r => r.PayloadBytes),
        result.Rounds.Sum(r => r.EncodedBytes),
        CodecReport.Of(result.Rounds),
        result.BytesSent,
        result.BytesReceived,
        result.Connections,
        result.LostConnections,
        result.BytesReadBack,
        Math.Round(result.Rounds.Sum(r => r.Elapsed.TotalSeconds), 3),
        Math.Round(result.VerifyTime.TotalSeconds, 3),
        Math.Round(result.Elapsed.TotalSeconds, 3),
        result.Basis.IdenticalAlready,
        result.Basis.MapOf,
        result.Basis.AuditedBlocks,
        TextOrNull(result.Basis.ScannedBecause),
        TextOrNull(result.Basis.OpenedBecause),
        TextOrNull(result.Basis.NotSavedBecause),
        [.. result.Rounds.Select(r => RoundReport.Of(0, r))]);

    /// <summary>Prints the report for people.</summary>
    public void Write(TextWriter output)
    {
        output.WriteLine($"{Path}: identical{(IdenticalAlready ? " already" : string.Empty)}, root {Root}");
        WriteBasis(output);
        if (IdenticalAlready)
        {
            output.WriteLine($"  sent            {ByteSize.Format(BytesSent)}, received {ByteSize.Format(BytesReceived)}, in {TotalSeconds:0.00} s");
            return;
        }

        if (BaseUsed is not null)
        {
            output.WriteLine($"  started from    {BaseUsed}");
        }
        else if (Resumed)
        {
            output.WriteLine("  went on with    what an earlier run had staged");
        }

        output.WriteLine($"  changed         {BlocksChanged:N0} of {BlocksScanned:N0} blocks, {ByteSize.Format(ChangedBytes)}"
            + $" ({PatchedBlocks:N0} patched, {ZeroBlocks:N0} zero, {CopiedBlocks:N0} copied there)");
        output.WriteLine($"  sent            {ByteSize.Format(BytesSent)}, received {ByteSize.Format(BytesReceived)}{ConnectionsText()}");
        if (Codecs.Count > 0)
        {
            output.WriteLine($"  encoded         {CodecReport.Line(Codecs)}");
        }

        foreach (RoundReport round in Rounds)
        {
            round.WriteKept(output);
        }

        output.WriteLine($"  read back       {ByteSize.Format(BytesReadBack)} at the destination");
        output.WriteLine($"  time            copy {CopySeconds:0.00} s, proof {VerifySeconds:0.00} s, total {TotalSeconds:0.00} s");
        if (MapNotSavedBecause is not null)
        {
            output.WriteLine($"  next time       the source is read again, because {MapNotSavedBecause}");
        }
    }

    private string ConnectionsText() => (Connections, LostConnections) switch
    {
        (1, 0) => string.Empty,
        (_, 0) => $", over {Connections} connections",
        (_, 1) => $", over {Connections} connections, of which one was lost and what was on it sent again",
        _ => $", over {Connections} connections, of which {LostConnections} were lost and what was on them sent again",
    };

    private void WriteBasis(TextWriter output)
    {
        if (MapSavedAt is { } saved)
        {
            string time = saved.LocalDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
            output.WriteLine($"  rested on       the source's map of {time}; {AuditedBlocks:N0} blocks read and equal{(IdenticalAlready ? " on both sides" : string.Empty)}");
        }
        else
        {
            output.WriteLine($"  rested on       a scan of the source, because {ScannedBecause}");
        }

        if (OpenedBecause is not null)
        {
            output.WriteLine($"  was opened      because {OpenedBecause}");
        }
    }

    private static string? TextOrNull(string text) => text.Length > 0 ? text : null;
}
