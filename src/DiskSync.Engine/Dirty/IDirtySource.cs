namespace DiskSync.Engine.Dirty;

/// <summary>Whatever knows which blocks of an image may differ from what the destination holds.</summary>
/// <remarks>
/// A source may mark too much, never too little: every block that it leaves clean is taken to be equal to the
/// destination map without being read. One that might have lost a write must say so by marking
/// everything (safety rule 6).
/// </remarks>
public interface IDirtySource
{
    /// <summary>The source's name in reports: "hash scan".</summary>
    string Name { get; }

    /// <summary>Marks what a new round has to look at; called once at the start of each round, before any block is read.</summary>
    void MarkInto(DirtyBitmap bitmap);
}
