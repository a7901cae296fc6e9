using DiskSync.Codecs;
using DiskSync.Formats;
using DiskSync.Formats.Delta;

namespace DiskSync.Engine.Comparison;

/// <summary>A delta file that was read whole and proven before anything of it is used.</summary>
/// <remarks>
/// Every later pass reads the open file again and checks it again, so a file that is overwritten meanwhile is noticed
/// before a wrong block is written (each block is checked by its hash). Not thread safe.
/// </remarks>
internal sealed class DeltaFile : IDisposable
{
    private readonly FileStream _stream;

    private DeltaFile(string path, FileStream stream, DeltaSummary summary, Hash256 identity)
    {
        Name = path;
        _stream = stream;
        Summary = summary;
        Identity = identity;
    }

    /// <summary>The file as its user named it.</summary>
    public string Name { get; }

    /// <summary>What the delta does.</summary>
    public DeltaSummary Summary { get; }

    /// <summary>The file's own check: two deltas with one identity are the same.</summary>
    public Hash256 Identity { get; }

    /// <summary>Opens a delta and validates all of it.</summary>
    /// <exception cref="DiskSyncException">
    /// It cannot be read (<see cref="FailureKind.Source"/>), or it is damaged or no delta (<see cref="FailureKind.Preflight"/>).
    /// </exception>
    public static DeltaFile Open(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            DeltaSummary summary = DeltaReader.ValidateWhole(stream);
            Span<byte> trailer = stackalloc byte[Hash256.Size];
            stream.Position = stream.Length - trailer.Length;
            stream.ReadExactly(trailer);
            return new DeltaFile(path, stream, summary, new Hash256(trailer));
        }
        catch (Exception failure) when (failure is FormatViolationException or IOException or UnauthorizedAccessException)
        {
            stream?.Dispose();
            throw Failed(path, failure);
        }
    }

    /// <summary>The records, from the first; stops with an exception where the file is not what it was.</summary>
    public IEnumerable<DeltaRecord> Records()
    {
        _stream.Position = 0;
        DeltaReader reader = Guard(() => new DeltaReader(_stream));
        while (true)
        {
            DeltaRecord record = default;
            if (!Guard(() => reader.TryRead(out record)))
            {
                yield break;
            }

            yield return record;
        }
    }

    /// <summary>The exception for something wrong with the file.</summary>
    public DiskSyncException Wrong(Exception failure) => Failed(Name, failure);

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is FormatViolationException or IOException)
        {
            throw Failed(Name, failure);
        }
    }

    private static DiskSyncException Failed(string path, Exception failure) =>
        failure is FormatViolationException
            ? new DiskSyncException(
                FailureKind.Preflight,
                $"delta {path}: {failure.Message}",
                "Make it anew: disksync delta BASE IMAGE -o FILE.",
                failure)
            : new DiskSyncException(
                FailureKind.Source, $"delta {path}: {failure.Message}", "Check the path.", failure);
}
