using System.Buffers.Binary;
using System.Text;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>Takes fields from the data of an option; every length is checked against what there is.</summary>
/// <param name="data">The option's data.</param>
internal ref struct NbdOptionReader(ReadOnlySpan<byte> data)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _left = data;

    /// <summary>Whether all was taken.</summary>
    public readonly bool IsAtEnd => _left.IsEmpty;

    /// <summary>Takes 16 bits.</summary>
    public bool TryTake(out ushort value)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(_left, out value))
        {
            return false;
        }

        _left = _left[sizeof(ushort)..];
        return true;
    }

    /// <summary>Takes 32 bits.</summary>
    public bool TryTake(out uint value)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(_left, out value))
        {
            return false;
        }

        _left = _left[sizeof(uint)..];
        return true;
    }

    /// <summary>Takes a length in 32 bits and as many bytes of UTF-8.</summary>
    public bool TryTake(out string value)
    {
        value = string.Empty;
        if (!TryTake(out uint length) || length > NbdLimits.MaxString || length > _left.Length)
        {
            return false;
        }

        try
        {
            value = Strict.GetString(_left[..(int)length]);
        }
        catch (DecoderFallbackException)
        {
            return false;
        }

        _left = _left[(int)length..];
        return true;
    }
}
