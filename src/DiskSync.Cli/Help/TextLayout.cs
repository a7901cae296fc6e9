namespace DiskSync.Cli.Help;

/// <summary>Paragraphs and two-column lists, wrapped at 80 columns.</summary>
internal static class TextLayout
{
    private const int Width = 80;

    /// <summary>Writes text wrapped, each line indented; an empty line in the text starts a new paragraph.</summary>
    public static void Paragraphs(TextWriter output, string text, int indent)
    {
        string margin = new(' ', indent);
        bool first = true;
        foreach (string paragraph in text.Split("\n\n"))
        {
            if (!first)
            {
                output.WriteLine();
            }

            first = false;
            foreach (string line in Wrap(paragraph, Width - indent))
            {
                output.Write(margin);
                output.WriteLine(line);
            }
        }
    }

    /// <summary>Writes a term and its text beside it; a long term gets a line of its own.</summary>
    public static void Term(TextWriter output, string term, string text, int column)
    {
        output.Write("  ");
        output.Write(term);
        bool beside = term.Length + 4 <= column;
        if (!beside)
        {
            output.WriteLine();
        }

        bool first = true;
        foreach (string line in Wrap(text, Width - column))
        {
            output.Write(new string(' ', beside && first ? column - 2 - term.Length : column));
            output.WriteLine(line);
            first = false;
        }
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        ReadOnlyMemory<char> rest = text.AsMemory().Trim();
        while (rest.Length > width)
        {
            int cut = rest.Span[..(width + 1)].LastIndexOf(' ');
            if (cut <= 0)
            {
                cut = rest.Span.IndexOf(' ');
                if (cut < 0)
                {
                    break;
                }
            }

            yield return rest[..cut].TrimEnd().ToString();
            rest = rest[cut..].TrimStart();
        }

        yield return rest.ToString();
    }
}
