using System.Text;

namespace DiskSync.Nbd.Client;

/// <summary>Texts of a peer, made fit to be shown: a terminal takes control characters for orders.</summary>
internal static class NbdText
{
    private const int MostShown = 300;

    /// <summary>Decodes what is for humans; whatever is wrong with it is replaced.</summary>
    public static string Show(ReadOnlySpan<byte> utf8)
    {
        string text = Encoding.UTF8.GetString(utf8);
        StringBuilder shown = new(Math.Min(text.Length, MostShown));
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (shown.Length >= MostShown)
            {
                shown.Append("...");
                break;
            }

            shown.Append(Rune.IsControl(rune) ? " " : rune.ToString());
        }

        return shown.ToString().Trim();
    }
}
