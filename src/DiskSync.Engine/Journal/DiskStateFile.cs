using DiskSync.Linux;

namespace DiskSync.Engine.Journal;

/// <summary>A state file on disk.</summary>
public sealed class DiskStateFile : IStateFile
{
    private readonly LinuxFile _file;
    private readonly LinuxFile? _folder;
    private bool _nameIsDurable;
    private string? _flushFailure;

    /// <summary>Wraps an open file, which it owns from now on.</summary>
    /// <param name="file">The file.</param>
    /// <param name="folder">The folder that its name is in, flushed with the file's first flush; stays its opener's. Null where the name need not last.</param>
    public DiskStateFile(LinuxFile file, LinuxFile? folder)
    {
        _file = file;
        _folder = folder;
        _nameIsDurable = folder is null;
    }

    /// <inheritdoc/>
    public string Name => _file.Path;

    /// <inheritdoc/>
    public long Length => Try(_file.Length);

    /// <summary>Makes a file without a name: it is gone with the process, whatever happens.</summary>
    /// <param name="purpose">What it is for, for messages.</param>
    /// <exception cref="DiskSyncException">No temporary file can be made.</exception>
    public static DiskStateFile CreateTemporary(string purpose)
    {
        string path = Path.Join(Path.GetTempPath(), $"disksync-{Guid.NewGuid():N}");
        try
        {
            LinuxFile file = LinuxFile.Open(path, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Exclusive);
            FileSystemCalls.Unlink(path);
            return new DiskStateFile(file, null);
        }
        catch (LinuxException exception)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"no temporary file for the {purpose}: {exception.Message}",
                "Free space in $TMPDIR, or set TMPDIR to another folder.",
                exception);
        }
    }

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> buffer)
    {
        try
        {
            return _file.ReadAt(buffer, offset);
        }
        catch (LinuxException exception)
        {
            throw Failed(exception);
        }
    }

    /// <inheritdoc/>
    public long NextData(long offset) => Try(() =>
        _file.TrySeekData(offset, out long found) ? (found < 0 ? long.MaxValue : found) : offset);

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        try
        {
            _file.WriteAt(data, offset);
        }
        catch (LinuxException exception)
        {
            throw Failed(exception);
        }
    }

    /// <inheritdoc/>
    public void SetLength(long length) => Try(() =>
    {
        _file.SetLength(length);
        return true;
    });

    /// <inheritdoc/>
    public void Flush()
    {
        if (_flushFailure is not null)
        {
            throw new DiskSyncException(
                FailureKind.Destination,
                $"{Name}: an earlier flush failed ({_flushFailure}), so nothing written since is believed",
                "Check the storage, then run the command again.");
        }

        try
        {
            _file.DataSync();
            if (!_nameIsDurable)
            {
                _folder!.Sync();
                _nameIsDurable = true;
            }
        }
        catch (LinuxException exception)
        {
            _flushFailure = exception.Reason;
            throw Failed(exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static DiskSyncException Failed(LinuxException exception) => new(
        FailureKind.Destination,
        exception.Message,
        exception.IsFull
            ? "Free space there, then run the same command again: it goes on from what is durable."
            : "Look at the kernel log of that host, then run the same command again.",
        exception);

    private static T Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (LinuxException exception)
        {
            throw Failed(exception);
        }
    }
}
