using System.Globalization;

namespace DiskSync.Codecs.Tests;

/// <summary>The test assembly run as a program, by <see cref="Blake3ProcessorTests"/>.</summary>
internal static class Program
{
    /// <summary>Prints the widest kernel, then a digest over many lengths for each kernel.</summary>
    public static void Main()
    {
        Console.WriteLine(Blake3Kernels.WidestLanes.ToString(CultureInfo.InvariantCulture));
        foreach (int lanes in Blake3Lanes.Supported)
        {
            Console.WriteLine(Blake3Lanes.Digest(lanes));
        }
    }
}
