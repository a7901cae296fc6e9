using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Makes a mutated log (transfer journal, presence map) right again but for what its records say, by a second writing of the format.</summary>
internal static class RecordLogRepair
{
    private const int RecordsAt = 3 * 4096;

    /// <summary>Makes checks, chain and the first head slot right.</summary>
    /// <param name="input">The file.</param>
    /// <param name="checkedHeader">How many bytes of the header its check covers.</param>
    /// <param name="context">What the chain's key is derived from.</param>
    public static void Run(byte[] input, int checkedHeader, string context)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Length < RecordsAt)
        {
            return;
        }

        Span<byte> file = input;
        Blake3.Hash(file[..checkedHeader]).CopyTo(file[checkedHeader..]);
        byte[] key = new byte[32];
        Blake3.DeriveKey(context, [], key);
        byte[] chain = Chain(key, file[..checkedHeader]);
        int at = RecordsAt;
        ulong count = 0;
        while (file.Length - at >= 29)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(file[at..]);
            if (length < 29 || length > file.Length - at)
            {
                break;
            }

            BinaryPrimitives.WriteUInt64LittleEndian(file[(at + 5)..], count++);
            chain = Chain(key, [.. chain, .. file.Slice(at, length - 16)]);
            chain.CopyTo(file[(at + length - 16)..]);
            at += length;
        }

        Span<byte> slot = file.Slice(4096, 36);
        BinaryPrimitives.WriteUInt64LittleEndian(slot, count);
        BinaryPrimitives.WriteInt64LittleEndian(slot[8..], at);
        chain.CopyTo(slot[16..]);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[32..], Crc32C.Append(Crc32C.Compute(file.Slice(checkedHeader, 32)), slot[..32]));
        file.Slice(8192, 36).Clear();
    }

    private static byte[] Chain(byte[] key, ReadOnlySpan<byte> bytes)
    {
        byte[] hash = new byte[32];
        Blake3.KeyedHash(key, bytes).CopyTo(hash);
        return hash[..16];
    }
}
