using System.Buffers;
using DiskSync.Formats;
using DiskSync.Formats.Wire;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the preamble.</summary>
public static class FuzzPreamble
{
    /// <summary>A preamble and what is usually there instead.</summary>
    public static IReadOnlyList<byte[]> Seeds()
    {
        var output = new ArrayBufferWriter<byte>();
        Preamble.Write(output);
        return [output.WrittenSpan.ToArray(), "Permission denied (publickey).\r\n"u8.ToArray()];
    }

    /// <summary>Reads a preamble.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        var buffer = new ReadOnlySequence<byte>(input.ToArray());
        try
        {
            if (!Preamble.TryRead(ref buffer, out _) && input.Length >= Preamble.Size)
            {
                throw new InvalidOperationException("waits for more than a preamble");
            }
        }
        catch (FormatViolationException)
        {
            // Refused, as it should be.
        }
    }
}
