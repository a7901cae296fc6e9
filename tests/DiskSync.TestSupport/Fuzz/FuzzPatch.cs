using DiskSync.Formats;
using DiskSync.Formats.Wire;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes patch payloads for a short block and for a whole one.</summary>
public static class FuzzPatch
{
    /// <summary>Plain and compressed patches.</summary>
    public static IReadOnlyList<byte[]> Seeds() =>
    [
        WireSamples.Patch(16384, 0b0101, compress: true),
        WireSamples.Patch(16384, 0b1000, compress: false),
        WireSamples.Patch(5000, 0b11, compress: true),
        WireSamples.Patch(5000, 0b10, compress: false),
    ];

    /// <summary>Reads and applies a payload; bytes outside the marked sub-blocks must stay.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        foreach (int length in (ReadOnlySpan<int>)[16384, 5000])
        {
            byte[] block = new byte[length];
            block.AsSpan().Fill(0xA5);
            try
            {
                PatchPayload patch = PatchPayload.Read(input, length);
                patch.ApplyTo(block, new byte[length]);
                for (int i = 0; i < length; i++)
                {
                    if ((patch.Bitmap[i >> 15] >> (i >> 12 & 7) & 1) == 0 && block[i] != 0xA5)
                    {
                        throw new InvalidOperationException($"byte {i} changed, its sub-block is not marked");
                    }
                }
            }
            catch (FormatViolationException)
            {
                // Refused, as it should be.
            }
        }
    }
}
