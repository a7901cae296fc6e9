using System.Text;
using DiskSync.Handoff.Hypervisors.Qemu;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes what cuts a QEMU's monitor into messages.</summary>
public static class FuzzQmp
{
    /// <summary>A connection's messages of every kind.</summary>
    public static IReadOnlyList<byte[]> Seeds() =>
    [
        Encoding.UTF8.GetBytes("{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n"),
        Encoding.UTF8.GetBytes("{\"return\": {\"status\": \"running\", \"running\": true}, \"id\": 1}\r\n{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"STOP\"}\r\n"),
        Encoding.UTF8.GetBytes("{\n    \"id\": 2,\n    \"error\": {\n        \"class\": \"GenericError\",\n        \"desc\": \"no \\u00fc \\ud83d\\ude00\"\n    }\n}\n"),
        Encoding.UTF8.GetBytes("{\"return\": [{\"capability\": \"events\", \"state\": false}], \"id\": 9223372036854775807}"),
        Encoding.UTF8.GetBytes("{\"event\": \"MIGRATION\", \"data\": {\"status\": \"pre-switchover\"}} {\"error\": 7}"),
    ];

    /// <summary>Reads all messages; whatever arrives first by half must be read as the same ones.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        int whole = Count(input, input.Length, out bool broken);
        int halves = Count(input, input.Length / 2, out bool brokenHalves);
        if (whole != halves || broken != brokenHalves)
        {
            throw new InvalidOperationException("what is read depends on how it arrives");
        }
    }

    private static int Count(ReadOnlySpan<byte> input, int first, out bool broken)
    {
        int count = 0;
        int start = 0;
        broken = false;
        try
        {
            foreach (int end in (int[])[first, input.Length])
            {
                while (QmpDecoder.TryRead(input[start..end], out QmpMessage? message, out int consumed))
                {
                    if (message is null || consumed <= 0 || message.Name.Length > 256 || message.Text.Length > 4096)
                    {
                        throw new InvalidOperationException("a message beyond its caps");
                    }

                    count++;
                    start += consumed;
                }
            }
        }
        catch (InvalidDataException)
        {
            broken = true;
        }

        return count;
    }
}
