using DiskSync.Linux;

namespace DiskSync.Engine.Comparison;

/// <summary>A file that appears under its name only when it is complete: written beside it, flushed, then renamed.</summary>
/// <remarks>
/// A stream that is only written forward. Without <see cref="Commit"/> the name keeps what it held before, and the
/// unfinished file is deleted (a kill leaves it behind as <c>NAME.PROCESS.tmp</c>). New files are made for their owner
/// only; one that is replaced hands on its mode. A name that is a pipe or a character device is written directly.
/// Not thread safe.
/// </remarks>
public sealed class AtomicFileStream : Stream
{
    private readonly string _path;
    private readonly LinuxFile _file;
    private readonly string? _temporary;
    private readonly byte[] _buffer = new byte[256 << 10];
    private readonly FileStream? _direct;
    private int _buffered;
    private long _written;
    private bool _committed;

    private AtomicFileStream(string path, LinuxFile file, string? temporary)
    {
        _path = path;
        _file = file;
        _temporary = temporary;
        _direct = temporary is null ? new FileStream(file.Handle, FileAccess.Write, 0) : null;
    }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => _written + _buffered;
        set => throw new NotSupportedException();
    }

    /// <summary>Begins a file.</summary>
    /// <param name="path">The name it is to have; what has the name now is untouched until <see cref="Commit"/>.</param>
    /// <param name="inputs">Files that it must not replace.</param>
    /// <exception cref="DiskSyncException">
    /// It cannot be made (<see cref="FailureKind.Destination"/>), or the name is one of the inputs, a folder or a block
    /// device (<see cref="FailureKind.Preflight"/>).
    /// </exception>
    public static AtomicFileStream Create(string path, params ReadOnlySpan<string> inputs)
    {
        try
        {
            FileStat? existing = FileStat.IfExists(path);
            Refuse(path, existing, inputs);
            if (existing is { Kind: not FileKind.Regular })
            {
                return new AtomicFileStream(path, LinuxFile.Open(path, LinuxOpen.WriteOnly), null);
            }

            // Beside the file that a link leads to: the link stays, and the rename stays on one file system.
            string? linked = existing is null ? null : File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName;
            string target = linked ?? path;
            string temporary = $"{target}.{Environment.ProcessId}.tmp";
            LinuxFile file = LinuxFile.Open(temporary, LinuxOpen.WriteOnly | LinuxOpen.Create | LinuxOpen.Truncate);
            if (existing is { } old)
            {
                file.ChangeMode(old.Mode);
            }

            return new AtomicFileStream(target, file, temporary);
        }
        catch (LinuxException failure)
        {
            throw Failed(path, failure);
        }
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (_buffered == _buffer.Length)
            {
                Flush();
            }

            int part = Math.Min(buffer.Length, _buffer.Length - _buffered);
            buffer[..part].CopyTo(_buffer.AsSpan(_buffered));
            _buffered += part;
            buffer = buffer[part..];
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
        try
        {
            if (_direct is not null)
            {
                _direct.Write(_buffer, 0, _buffered);
            }
            else
            {
                _file.WriteAt(_buffer.AsSpan(0, _buffered), _written);
            }
        }
        catch (IOException failure)
        {
            throw Failed(_path, failure);
        }

        _written += _buffered;
        _buffered = 0;
    }

    /// <summary>Makes the file durable and gives it its name.</summary>
    /// <exception cref="DiskSyncException">It could not be written, flushed or renamed; the name keeps what it held.</exception>
    public void Commit()
    {
        Flush();
        if (_temporary is null)
        {
            return;
        }

        try
        {
            _file.Sync();
            FileSystemCalls.Rename(_temporary, _path);
            _committed = true;
            FileSystemCalls.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        }
        catch (LinuxException failure)
        {
            throw Failed(_path, failure);
        }
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _direct?.Dispose();
            _file.Dispose();
            if (_temporary is not null && !_committed)
            {
                File.Delete(_temporary);
            }
        }

        base.Dispose(disposing);
    }

    private static void Refuse(string path, FileStat? existing, ReadOnlySpan<string> inputs)
    {
        if (existing is not { } stat)
        {
            return;
        }

        if (stat.Kind is FileKind.Directory or FileKind.BlockDevice)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {path}: is a {(stat.Kind == FileKind.Directory ? "folder" : "block device")}, not a file",
                "Name a file.");
        }

        foreach (string input in inputs)
        {
            if (FileStat.IfExists(input) is { } other && other.IsSameFileAs(stat))
            {
                throw new DiskSyncException(
                    FailureKind.Preflight,
                    $"destination {path}: is the same file as {input}",
                    "Name another file for the result.");
            }
        }
    }

    private static DiskSyncException Failed(string path, IOException failure) => new(
        FailureKind.Destination,
        $"destination {path}: {failure.Message}",
        failure is LinuxException { IsFull: true }
            ? "Make room, or name a file on another file system; what was there is unchanged."
            : "What was there is unchanged.",
        failure);
}
