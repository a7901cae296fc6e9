namespace DiskSync.Engine.Journal;

/// <summary>Where a target's journal lives; narrow, so that a simulated disk can lose its names too.</summary>
public interface IJournalPlace
{
    /// <summary>Opens the journal that is there, or null; its name is made durable first, as a rename that is not could be undone by a power cut.</summary>
    IStateFile? OpenExisting();

    /// <summary>Writes a new journal and puts it in the place of any old one, atomically and durably.</summary>
    /// <param name="write">Writes the new journal's content; flushing is done here, before the name changes.</param>
    /// <returns>The new journal, open, owned by the caller.</returns>
    IStateFile Replace(Action<IStateFile> write);
}
