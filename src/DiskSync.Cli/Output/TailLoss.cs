using System.Globalization;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Targets;
using DiskSync.Formats.Presence;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Cli.Output;

/// <summary>Names what is lost where an image that is not whole is handed back although its machine has run.</summary>
internal static class TailLoss
{
    /// <summary>A sentence for each image of the attempt.</summary>
    public static string Describe(OwnerReport report) =>
        string.Join(". ", report.Images.Where(i => !ImageIdentity.IsDevice(i)).Select(image => $"{image}: {Of(image, report.Attempt)}"));

    private static string Of(string image, Guid attempt)
    {
        using TailFiles files = TailFiles.Of(image);
        return files.Written(attempt) switch
        {
            null => "how much was written here since the hand-over is not known, and all of it is lost",
            { Most: 0 } => "nothing was written here since the hand-over",
            WrittenCount count => string.Create(
                CultureInfo.InvariantCulture,
                $"{count.Bytes} bytes (at most {count.Most}) were written here since {DateTimeOffset.FromUnixTimeMilliseconds(count.FirstMs):yyyy-MM-dd HH:mm:ss} UTC, and are lost"),
        };
    }
}
