using System.Globalization;
using DiskSync.Engine;
using DiskSync.Engine.Progress;

namespace DiskSync.Cli.Output;

/// <summary>The figures of a snapshot as text.</summary>
internal static class ProgressText
{
    /// <summary>Everything that is known, on one line.</summary>
    public static string Line(CopyProgress progress, double rate, double? secondsLeft)
    {
        string figures = Figures(progress, rate, secondsLeft);
        string details = Details(progress);
        return details.Length == 0 ? figures : $"{figures}, {details}";
    }

    /// <summary>Share, rate and remaining time, where known.</summary>
    public static string Figures(CopyProgress progress, double rate, double? secondsLeft)
    {
        var parts = new List<string>(3);
        if (progress.BytesTotal > 0)
        {
            int percent = (int)(100.0 * progress.BytesDone / progress.BytesTotal);
            parts.Add($"{percent}% of {ByteSize.Format(progress.BytesTotal)}");
        }

        if (rate > 0)
        {
            parts.Add($"{ByteSize.Format(rate)}/s");
        }

        if (secondsLeft is { } left)
        {
            parts.Add($"{Duration(left)} left");
        }

        return parts.Count == 0 ? "under way" : string.Join(", ", parts);
    }

    /// <summary>Dirty blocks, bytes sent and compression ratio, where known.</summary>
    public static string Details(CopyProgress progress)
    {
        var parts = new List<string>(3);
        if (progress.DirtyBlocks >= 0)
        {
            string word = progress.DirtyBlocks == 1 ? "block" : "blocks";
            string count = progress.DirtyBlocks.ToString("N0", CultureInfo.InvariantCulture);
            parts.Add(progress.Phase is CopyPhase.Comparing ? $"{count} changed {word}" : $"{count} dirty {word}");
        }

        if (progress.SentBytes > 0)
        {
            parts.Add($"{ByteSize.Format(progress.SentBytes)} sent");
            if (progress.RawBytes > 0)
            {
                double ratio = (double)progress.RawBytes / progress.SentBytes;
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"ratio {ratio:0.0}"));
            }
        }

        return string.Join(", ", parts);
    }

    /// <summary>A duration for people: "0.8 s", "12 s", "3 min 05 s", "2 h 10 min".</summary>
    public static string Duration(double seconds) => seconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 60} min {(int)seconds % 60:00} s"),
        < 360000 => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 3600} h {(int)seconds / 60 % 60:00} min"),
        _ => "days",
    };
}
