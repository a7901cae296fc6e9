using System.Diagnostics;
using DiskSync.TestSupport.Fuzz;

namespace DiskSync.Fuzz;

/// <summary>Runs fuzz targets for a time; tools/fuzz/run says how to call it.</summary>
internal static class Program
{
    private const int Found = 1;
    private const int Usage = 2;

    private static int Main(string[] args)
    {
        if (Options.TryParse(args, out Options options, out string error))
        {
            return options.List ? List() : options.Input is null ? Fuzz(options) : Replay(options);
        }

        Console.Error.WriteLine(error);
        return Usage;
    }

    private static int List()
    {
        foreach (FuzzTarget target in FuzzTargets.All)
        {
            Console.WriteLine(target.Name);
        }

        return 0;
    }

    private static int Replay(Options options)
    {
        byte[] input = File.ReadAllBytes(options.Input!);
        FuzzFailure? failure = FuzzRunner.Try(options.Targets[0], input);
        Console.WriteLine(failure is null ? "no failure" : failure.Exception.ToString());
        return failure is null ? 0 : Found;
    }

    private static int Fuzz(Options options)
    {
        int failures = 0;
        foreach (FuzzTarget target in options.Targets)
        {
            var clock = Stopwatch.StartNew();
            long runs = FuzzRunner.Run(target, options.Seed, long.MaxValue, options.Time, out FuzzFailure? failure);
            Console.WriteLine($"{target.Name}: seed {options.Seed}, {runs} inputs, {runs / clock.Elapsed.TotalSeconds:0}/s");
            if (failure is not null)
            {
                failures++;
                Directory.CreateDirectory(options.Output);
                string path = Path.Combine(options.Output, $"{target.Name}-{options.Seed}-{failure.Iteration}.bin");
                File.WriteAllBytes(path, failure.Input);
                Console.WriteLine($"  FAILED on input {failure.Iteration}, saved as {path}\n  {failure.Exception}");
            }
        }

        return failures == 0 ? 0 : Found;
    }
}
