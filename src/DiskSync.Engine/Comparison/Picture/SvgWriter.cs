using System.Globalization;
using System.Security;

namespace DiskSync.Engine.Comparison.Picture;

/// <summary>Writes a drawing as SVG 1.1.</summary>
public static class SvgWriter
{
    /// <summary>Writes the whole document.</summary>
    /// <param name="drawing">The picture.</param>
    /// <param name="output">UTF-8 text; stays open.</param>
    public static void Write(Drawing drawing, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(drawing);
        ArgumentNullException.ThrowIfNull(output);
        output.WriteLine(
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{drawing.Width}\" height=\"{drawing.Height}\" viewBox=\"0 0 {drawing.Width} {drawing.Height}\">");
        output.WriteLine("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>");
        foreach (Box box in drawing.Boxes)
        {
            output.Write(
                $"<rect x=\"{box.X}\" y=\"{box.Y}\" width=\"{box.Width}\" height=\"{box.Height}\" fill=\"{Color(box.Color)}\"");
            output.WriteLine(box.Tip is null ? "/>" : $"><title>{SecurityElement.Escape(box.Tip)}</title></rect>");
        }

        output.WriteLine("<g font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\">");
        foreach (Label label in drawing.Labels)
        {
            // A capital letter is about 0.72 of the font size; the PNG's are 7 pixels times the scale.
            double size = label.Scale * 7 / 0.72 * 0.82;
            string anchor = label.RightAligned ? " text-anchor=\"end\"" : string.Empty;
            string weight = label.Scale > 2 ? " font-weight=\"bold\"" : string.Empty;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"<text x=\"{label.X}\" y=\"{label.Y + (label.Scale * 7) - 1}\" font-size=\"{size:0.0}\" fill=\"{Color(label.Color)}\"{anchor}{weight}>{SecurityElement.Escape(label.Text)}</text>"));
        }

        output.WriteLine("</g>");
        output.WriteLine("</svg>");
    }

    private static string Color(int color) => "#" + color.ToString("x6", CultureInfo.InvariantCulture);
}
