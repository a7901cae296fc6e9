namespace DiskSync.Engine.Tail;

/// <summary>The names of what stands beside an image, or a staged copy, with a tail.</summary>
/// <param name="stem">The image's own name, or the staged copy's.</param>
internal readonly struct TailLeaves(string stem)
{
    public string Presence => stem + ".presence";

    public string Notes => stem + ".presence.notes";

    public string Written => stem + ".presence.written";

    public string Hashes => stem + ".presence.hashes";

    public string Seal => stem + ".tail";
}
