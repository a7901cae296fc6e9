using DiskSync.Engine.SavedMaps;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Asks whether the destination has an image already whose source has not changed, so that nothing of it is opened, sent or read back.</summary>
internal static class UnchangedImage
{
    /// <summary>Asks the destination.</summary>
    /// <returns>Its answer, which counts only if nobody has written the source meanwhile; null where it was not asked.</returns>
    /// <remarks>
    /// Not asked is who wants more than the same content at the same name: a copy that starts from another base, or from none,
    /// or one that begins afresh. In place there is nothing to write either.
    /// </remarks>
    public static async Task<ImageChecked?> AskAsync(
        SourceSession session, ushort image, TransferRequest request, WarmStart warm, CancellationToken cancellationToken)
    {
        if (warm.Map is not { } map || !request.Base.Automatic || request.Flags.HasFlag(OpenFlags.Fresh)
            || !session.Capabilities.HasFlag(Capability.CheckImage))
        {
            return null;
        }

        ImageChecked answer = await session.RequestAsync<ImageChecked>(
            image,
            new CheckImage(
                request.Name,
                (ulong)request.Geometry.Length,
                (uint)request.Geometry.Granularity,
                map.Record.Root,
                request.Mode is { } mode ? (uint)mode : uint.MaxValue,
                request.Owner,
                warm.Sample),
            cancellationToken);
        return answer.Identical && !warm.IsUntouched()
            ? answer with { Identical = false, Why = "somebody opened the source for writing meanwhile" }
            : answer;
    }

    /// <summary>The result of a push that had nothing to do.</summary>
    public static PushResult ResultOf(SourceSession session, ImageChecked answer, WarmStart warm, TimeSpan elapsed) => new(
        answer.Path,
        warm.Map!.Record.Root,
        [],
        (long)answer.BytesRead,
        session.BytesSent,
        session.BytesReceived,
        string.Empty,
        Resumed: false,
        string.Empty,
        TimeSpan.Zero,
        elapsed)
    {
        Basis = warm.Basis with { IdenticalAlready = true },
    };
}
