using System.Diagnostics;
using System.Globalization;
using DiskSync.TestSupport.PowerCuts;

namespace DiskSync.PowerCut;

/// <summary>Runs many seeded power-cut runs, or one again.</summary>
internal static class Program
{
    private const string Usage = """
        usage: tools/powercut/run [--from SEED] [--count N] [--seed SEED] [--without FLUSH] [--of WHAT]

          --from SEED      the first seed (0)
          --count N        how many seeds (10000)
          --seed SEED      only this one, as a failure names it
          --without FLUSH  take a flush out: Image, Map, Withdraw, Claim, Session, Record, NewJournal, JournalName
          --of WHAT        copy: a target that is written (default); tail: an image of which parts are still at the source

        Exit code 0: every run ended with source and destination identical. 1: a run failed; the last lines say how to
        run it again. 2: the arguments were not understood.
        """;

    private static int Main(string[] arguments)
    {
        int from = 0;
        int count = 10_000;
        bool isTail = false;
        FlushPoint takenOut = FlushPoint.None;
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string value = i + 1 < arguments.Length ? arguments[i + 1] : string.Empty;
            bool understood = arguments[i] switch
            {
                "--from" => Number(value, out from),
                "--count" => Number(value, out count),
                "--seed" => Number(value, out from) && (count = 1) == 1,
                "--without" => Enum.TryParse(value, ignoreCase: true, out takenOut) && Enum.IsDefined(takenOut),
                "--of" => value is "copy" or "tail" && ((isTail = value == "tail") || true),
                _ => false,
            };
            if (!understood)
            {
                Console.Error.WriteLine(Usage);
                return arguments[i] is "--help" or "-h" ? 0 : 2;
            }
        }

        return RunAll(from, count, takenOut, isTail);
    }

    private static int RunAll(int from, int count, FlushPoint takenOut, bool isTail)
    {
        PowerCutCounts total = new();
        var clock = Stopwatch.StartNew();
        for (int seed = from; seed < from + count; seed++)
        {
            try
            {
                if (isTail)
                {
                    TailWorld world = TailRun.Run(seed, takenOut);
                    total.PowerCuts += world.PowerCuts;
                    total.Kills += world.Kills;
                    total.Failures += world.Failures;
                }
                else
                {
                    total.Add(PowerCutRun.Run(seed, takenOut));
                }
            }
            catch (Exception exception)
            {
                string without = takenOut == FlushPoint.None ? string.Empty : $" --without {takenOut}";
                Console.WriteLine(exception is PowerCutFailureException ? exception.Message : exception.ToString());
                Console.WriteLine($"seed {seed} failed after {seed - from} that did not; to run it again:");
                Console.WriteLine($"    tools/powercut/run{(isTail ? " --of tail" : string.Empty)} --seed {seed}{without}");
                return 1;
            }

            int done = seed - from + 1;
            if (done % 500 == 0 || done == count)
            {
                Console.WriteLine($"seeds {from} to {seed}: no difference ({clock.Elapsed.TotalSeconds:F1} s)");
            }
        }

        Console.WriteLine($"{count} runs, {clock.Elapsed.TotalSeconds:F1} s: {total}");
        return 0;
    }

    private static bool Number(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
