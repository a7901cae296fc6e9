using System.CommandLine;
using System.CommandLine.Completions;
using DiskSync.Cli.Commands;

namespace DiskSync.Cli.Running;

/// <summary>Answers to half-typed command lines: System.CommandLine's <c>[suggest]</c> directive, and near misses.</summary>
internal static class Suggestions
{
    /// <summary>Prints the completions of <c>[suggest:POSITION] "LINE"</c>, one a line.</summary>
    public static int Write(ParseResult directive, string[] args, TextWriter output)
    {
        string line = args.Length > 1 ? args[^1] : string.Empty;
        string first = args[0];
        int colon = first.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !int.TryParse(first.AsSpan(colon + 1).TrimEnd(']'), out int position))
        {
            position = line.Length;
        }

        // The shells hand over the whole line; only its part before the cursor, without the program's name, counts.
        line = line[..Math.Clamp(position, 0, line.Length)];
        int name = line.IndexOf(' ', StringComparison.Ordinal);
        string rest = name < 0 ? string.Empty : line[(name + 1)..];
        ParseResult parse = directive.RootCommandResult.Command.Parse(rest);
        foreach (CompletionItem item in parse.GetCompletions(rest.Length))
        {
            output.WriteLine(item.InsertText ?? item.Label);
        }

        return ExitCodes.Done;
    }

    /// <summary>"; did you mean 'verify'?" where one command is close to what was typed, else nothing.</summary>
    public static string DidYouMean(string typed)
    {
        string? best = null;
        int bestDistance = 3;
        foreach (CommandEntry entry in CommandCatalog.All)
        {
            int distance = Distance(typed, entry.Name);
            if (distance < bestDistance && distance < entry.Name.Length)
            {
                best = entry.Name;
                bestDistance = distance;
            }
        }

        return best is null ? string.Empty : $"; did you mean '{best}'?";
    }

    private static int Distance(string a, string b)
    {
        int[] row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                int change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(change, Math.Min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }

        return row[b.Length];
    }
}
