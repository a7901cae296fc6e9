using System.Globalization;
using DiskSync.TestSupport.Fuzz;

namespace DiskSync.Fuzz;

/// <summary>What the command line asks for.</summary>
/// <param name="Targets">The targets to run.</param>
/// <param name="Time">How long each runs.</param>
/// <param name="Seed">Seeds the mutations.</param>
/// <param name="Output">Where failing inputs go.</param>
/// <param name="Input">One input to run again, or null.</param>
/// <param name="List">Whether to list the targets.</param>
internal sealed record Options(
    IReadOnlyList<FuzzTarget> Targets, TimeSpan Time, int Seed, string Output, string? Input, bool List)
{
    /// <summary>Reads the command line.</summary>
    public static bool TryParse(string[] args, out Options options, out string error)
    {
        options = new Options([], TimeSpan.FromSeconds(10), Random.Shared.Next(), "artifacts/fuzz", null, false);
        var targets = new List<FuzzTarget>();
        for (int i = 0; i < args.Length; i++)
        {
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--list":
                    options = options with { List = true };
                    break;
                case "--seconds" when double.TryParse(value, CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and < 1e6:
                    options = options with { Time = TimeSpan.FromSeconds(seconds) };
                    i++;
                    break;
                case "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out int seed):
                    options = options with { Seed = seed };
                    i++;
                    break;
                case "--output" when value is not null:
                    options = options with { Output = value };
                    i++;
                    break;
                case "--input" when value is not null:
                    options = options with { Input = value };
                    i++;
                    break;
                default:
                    if (FuzzTargets.All.FirstOrDefault(t => t.Name == args[i]) is not { } target)
                    {
                        error = $"'{args[i]}' is no target (--list shows them) and no option with its value";
                        return false;
                    }

                    targets.Add(target);
                    break;
            }
        }

        error = options.Input is not null && targets.Count != 1 ? "--input needs exactly one target" : "";
        options = options with { Targets = targets.Count > 0 ? targets : FuzzTargets.All };
        return error.Length == 0;
    }
}
