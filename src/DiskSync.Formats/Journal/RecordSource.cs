using System.Buffers.Binary;

namespace DiskSync.Formats.Journal;

/// <summary>Cuts a journal's stream into records whose length, index and chain value are right.</summary>
internal sealed class RecordSource(Stream stream)
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
        _read = stream.ReadAtLeast(_record.AsSpan(0, JournalFormat.RecordPrefix), JournalFormat.RecordPrefix, throwOnEndOfStream: false);
        atEnd = _read < JournalFormat.RecordPrefix;
        if (atEnd)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(_record);
        if (length is < JournalFormat.MinRecord or > JournalFormat.MaxRecord
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

        int chainAt = (int)length - JournalFormat.ChainSize;
        Span<byte> chain = stackalloc byte[JournalFormat.ChainSize];
        JournalFormat.NextChain(previousChain, _record.AsSpan(0, chainAt), chain);
        if (!chain.SequenceEqual(_record.AsSpan(chainAt, JournalFormat.ChainSize)))
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
