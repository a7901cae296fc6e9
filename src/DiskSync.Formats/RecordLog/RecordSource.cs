using System.Buffers.Binary;

namespace DiskSync.Formats.RecordLog;

/// <summary>Cuts a log's stream into records whose length, index and chain value are right.</summary>
/// <param name="stream">Stands at the first record.</param>
/// <param name="layout">The log's layout.</param>
internal sealed class RecordSource(Stream stream, LogLayout layout)
{
    private byte[] _record = new byte[4096];
    private int _read;

    /// <summary>Reads the next record.</summary>
    /// <param name="index">The index it must have.</param>
    /// <param name="previousChain">The chain value before it.</param>
    /// <param name="bytes">The record, until the next call.</param>
    /// <param name="atEnd">Where there is none: whether the file ended, rather than holding something else.</param>
    public bool TryRead(ulong index, ReadOnlySpan<byte> previousChain, out ReadOnlySpan<byte> bytes, out bool atEnd)
    {
        bytes = default;
        _read = stream.ReadAtLeast(_record.AsSpan(0, LogLayout.RecordPrefix), LogLayout.RecordPrefix, throwOnEndOfStream: false);
        atEnd = _read < LogLayout.RecordPrefix;
        if (atEnd)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(_record);
        if (length < LogLayout.MinRecord || length > layout.MaxRecord
            || BinaryPrimitives.ReadUInt64LittleEndian(_record.AsSpan(5)) != index)
        {
            return false;
        }

        while (_read < (int)length)
        {
            if (_read == _record.Length)
            {
                Array.Resize(ref _record, _record.Length * 2);
            }

            int more = stream.Read(_record, _read, Math.Min((int)length, _record.Length) - _read);
            if (more == 0)
            {
                atEnd = true;
                return false;
            }

            _read += more;
        }

        int chainAt = (int)length - LogLayout.ChainSize;
        Span<byte> chain = stackalloc byte[LogLayout.ChainSize];
        layout.NextChain(previousChain, _record.AsSpan(0, chainAt), chain);
        if (!chain.SequenceEqual(_record.AsSpan(chainAt, LogLayout.ChainSize)))
        {
            return false;
        }

        bytes = _record.AsSpan(0, (int)length);
        return true;
    }

    /// <summary>After a read that failed: how many bytes there are from where that record should have started.</summary>
    public long BytesBehind()
    {
        long behind = _read;
        int more;
        while ((more = stream.Read(_record)) > 0)
        {
            behind += more;
        }

        return behind;
    }
}
