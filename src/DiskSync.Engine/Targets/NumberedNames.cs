using System.Globalization;

namespace DiskSync.Engine.Targets;

/// <summary>Names that carry a number behind a mark: NAME.ceded-EPOCH, NAME.incomplete-EPOCH, NAME.round-N.</summary>
/// <remarks>Immutable. A name may be a file's name or its path.</remarks>
public sealed class NumberedNames
{
    private readonly string _mark;

    private NumberedNames(string mark) => _mark = mark;

    /// <summary>Images that this host has handed over.</summary>
    public static NumberedNames Ceded { get; } = new(".ceded-");

    /// <summary>Images of which parts are still at their source (docs/tail.md).</summary>
    public static NumberedNames Incomplete { get; } = new(".incomplete-");

    /// <summary>Copies as they were at the end of a round.</summary>
    public static NumberedNames Round { get; } = new(".round-");

    /// <summary>The name that an image has.</summary>
    /// <param name="image">The image's own name.</param>
    /// <param name="number">The epoch or round.</param>
    public string NameOf(string image, ulong number) => string.Create(CultureInfo.InvariantCulture, $"{image}{_mark}{number}");

    /// <summary>Whether a name is one of these.</summary>
    public bool IsOne(string name) => TrySplit(name, out _, out _);

    /// <summary>Whether a name is that of a certain image.</summary>
    /// <param name="name">The name.</param>
    /// <param name="image">The image's own.</param>
    public bool IsOf(string name, string image) => TrySplit(name, out string of, out _) && string.Equals(of, image, StringComparison.Ordinal);

    /// <summary>The image's own name.</summary>
    /// <exception cref="ArgumentException">It is none of these names.</exception>
    public string ImageOf(string name) =>
        TrySplit(name, out string image, out _) ? image : throw new ArgumentException($"{name} is not NAME{_mark}NUMBER", nameof(name));

    /// <summary>The number in a name; 0 where it is none of these.</summary>
    public ulong NumberOf(string name) => TrySplit(name, out _, out ulong number) ? number : 0;

    private bool TrySplit(string name, out string image, out ulong number)
    {
        ArgumentNullException.ThrowIfNull(name);
        number = 0;
        int mark = name.LastIndexOf(_mark, StringComparison.Ordinal);
        image = mark > 0 ? name[..mark] : string.Empty;
        return mark > 0 && ulong.TryParse(name.AsSpan(mark + _mark.Length), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
