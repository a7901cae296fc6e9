namespace DiskSync.Linux;

/// <summary>Finds the holes of a file (SEEK_DATA, SEEK_HOLE).</summary>
public static class HoleScanner
{
    /// <summary>What is called data where a writer fills and punches faster than we look; "data" is never wrong.</summary>
    private const long LeastData = 4096;

    /// <summary>The ranges of a part of a file in order, without gaps or overlaps.</summary>
    /// <param name="file">An open regular file or block device.</param>
    /// <param name="offset">Where to start.</param>
    /// <param name="length">Bytes; what lies past the end of the file counts as a hole.</param>
    /// <remarks>
    /// Two system calls per data range, asked for lazily: memory is constant for any file. Where holes cannot be told
    /// (block devices, some file systems) all is one data range. A file that is written, punched or cut meanwhile
    /// yields what each place held at the time it was looked at. Neighbours are never both holes.
    /// </remarks>
    /// <exception cref="LinuxException">The file system failed.</exception>
    public static IEnumerable<HoleRange> Scan(LinuxFile file, long offset, long length)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, long.MaxValue - offset);
        return Walk(file, offset, offset + length);
    }

    private static IEnumerable<HoleRange> Walk(LinuxFile file, long position, long end)
    {
        while (position < end)
        {
            if (!file.TrySeekData(position, out long data))
            {
                yield return new HoleRange(position, end - position, IsData: true);
                yield break;
            }

            if (data < 0 || data >= end)
            {
                yield return new HoleRange(position, end - position, IsData: false);
                yield break;
            }

            if (data > position)
            {
                yield return new HoleRange(position, data - position, IsData: false);
                position = data;
            }

            if (!file.TrySeekHole(position, out long hole))
            {
                yield return new HoleRange(position, end - position, IsData: true);
                yield break;
            }

            // -1: the file was cut in between. At or before the position: the data was punched in between.
            // Both are called data for a little, which also guarantees that we move on.
            hole = Math.Min(end, hole > position ? hole : position + LeastData);
            yield return new HoleRange(position, hole - position, IsData: true);
            position = hole;
        }
    }
}
