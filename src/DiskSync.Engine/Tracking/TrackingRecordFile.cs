using DiskSync.Engine.Blocks;
using DiskSync.Engine.SavedMaps;
using DiskSync.Formats;
using DiskSync.Formats.ExportControl;
using DiskSync.Formats.SavedMap;
using DiskSync.Formats.Tracking;
using DiskSync.Linux;

namespace DiskSync.Engine.Tracking;

/// <summary>Keeps what an export knows of its image from one run to the next (Formats/Tracking/FORMAT.md).</summary>
/// <remarks>Its caller holds the image's serving lock. Nothing depends on it but time: without it everything is scanned.</remarks>
/// <param name="path">The record's path.</param>
public sealed class TrackingRecordFile(string path)
{
    private const int ProbeBytes = 64 << 10;

    // However far away a clock that was set says that the last change was.
    private const int MostPauseMs = 2500;

    /// <summary>Takes the record, which is gone then whatever is in it: from here on the image may be written.</summary>
    /// <param name="image">The image, open so that nobody else writes it.</param>
    /// <param name="why">Why nothing is known, or empty.</param>
    /// <returns>What has changed since when; null where nothing is known.</returns>
    /// <exception cref="LinuxException">The record cannot be removed, so that a later run might believe it: nothing may be written.</exception>
    public TrackingBaseline? Take(IBlockDevice image, out string why)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (FileStat.IfExists(path) is null)
        {
            why = "the export before this one, if there was one, did not end in order";
            return null;
        }

        TrackingRecord? record = TryRead(out why);
        FileSystemCalls.Unlink(path);
        FileSystemCalls.SyncDirectory(Path.GetDirectoryName(path) ?? "/");
        if (record is null)
        {
            return null;
        }

        why = record.Length != image.Length ? "its length has changed since the last export of it ended"
            : record.Identity.Boot != BootId.Current ? "this host was started again since the last export of it ended"
            : SourceWatch.IdentityOf(image) is not { } now || now != record.Identity ? "it has changed since the last export of it ended"
            : string.Empty;
        return why.Length == 0 ? Restore(record, ref why) : null;
    }

    /// <summary>Writes the record; durable when it returns.</summary>
    /// <param name="image">The image's path; it was flushed, and whoever wrote it has closed it.</param>
    /// <param name="baseline">What is known.</param>
    /// <returns>Why it was not written, or empty.</returns>
    /// <remarks>Waits up to two seconds where the image was written a moment ago.</remarks>
    public string Save(string image, TrackingBaseline baseline)
    {
        ArgumentNullException.ThrowIfNull(baseline);
        try
        {
            using IBlockDevice closed = BlockDevices.OpenSource(image);
            using SourceWatch watch = SourceWatch.Begin(closed);
            if (watch.Identity is not { } identity)
            {
                return watch.Refusal;
            }

            for (int tries = 0; tries < 3 && watch.SettlesIn is var left && left > TimeSpan.Zero; tries++)
            {
                Thread.Sleep(Math.Min((int)left.TotalMilliseconds + 1, MostPauseMs));
            }

            // (What a device counts has to move, or it says nothing.)
            using AlignedBuffer probe = new(ProbeBytes);
            int read = (int)Math.Min(ProbeBytes, closed.Length) / closed.Alignment * closed.Alignment;
            closed.Read(0, probe.Span[..read]);
            return watch.MaySave(read, out string why) ? Write(new TrackingRecord(
                image, closed.Length, baseline.Root, baseline.Epoch, identity, [.. baseline.Since.Peek().Select(c => new DirtyBits((uint)c.Index, c.Words))])) : why;
        }
        catch (Exception exception) when (exception is DiskSyncException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return exception.Message;
        }
    }

    private TrackingRecord? TryRead(out string why)
    {
        try
        {
            using LinuxFile file = LinuxFile.Open(path, LinuxOpen.ReadOnly);
            byte[] bytes = new byte[Math.Min(file.Length(), TrackingRecordCodec.MaxSize + 1L)];
            why = string.Empty;
            return TrackingRecordCodec.Decode(bytes.AsSpan(0, file.ReadAt(bytes, 0)));
        }
        catch (Exception exception) when (exception is FormatViolationException or IOException)
        {
            why = $"the record of the last export of it cannot be read ({exception.Message})";
            return null;
        }
    }

    private static TrackingBaseline? Restore(TrackingRecord record, ref string why)
    {
        try
        {
            DirtyMap since = new(record.Length);
            foreach (DirtyBits chunk in record.Chunks)
            {
                foreach ((int first, int count) in BitWords.Runs(chunk.Words))
                {
                    long offset = (chunk.Chunk * DirtyMap.ChunkBytes) + ((long)first * DirtyMap.Precision);
                    since.Mark(offset, Math.Min((long)count * DirtyMap.Precision, Math.Max(1, record.Length - offset)));
                }
            }

            return new TrackingBaseline(record.Root, record.Epoch, since);
        }
        catch (ArgumentOutOfRangeException exception)
        {
            why = $"the record of the last export of it speaks of what is not there ({exception.Message})";
            return null;
        }
    }

    private string Write(TrackingRecord record)
    {
        if (TrackingRecordCodec.TryEncode(record) is not { } bytes)
        {
            return "so much was written in so many places that scanning is as good";
        }

        Directory.CreateDirectory(
            Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string fresh = path + ".new";
        using (LinuxFile file = LinuxFile.Open(fresh, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Truncate))
        {
            file.WriteAt(bytes, 0);
            file.DataSync();
        }

        File.Move(fresh, path, overwrite: true);
        FileSystemCalls.SyncDirectory(Path.GetDirectoryName(path)!);
        return string.Empty;
    }
}
