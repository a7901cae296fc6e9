using DiskSync.Engine;
using DiskSync.Engine.Journal;

namespace DiskSync.TestSupport.PowerCuts;

/// <summary>The name of a journal in a simulated folder: which file has it is durable only after the folder's flush.</summary>
public sealed class SimulatedJournalPlace : SimulatedVolume, IJournalPlace
{
    // The file that has the name durably, then those that had or have it since.
    private readonly List<SimulatedFile?> _names = [null];

    /// <summary>Makes a folder without a journal.</summary>
    public SimulatedJournalPlace(SimulatedMedium medium)
        : base(medium, "folder") => medium.Add(this);

    /// <summary>The journal that is there, or null.</summary>
    public SimulatedFile? Current => _names[^1];

    /// <summary>How often a journal was put in place.</summary>
    public int Replacements { get; private set; }

    /// <inheritdoc/>
    public IStateFile? OpenExisting()
    {
        FailIfDue();
        if (Medium.TakenOut != FlushPoint.JournalName)
        {
            Settle(Current);
        }

        return Current?.Open();
    }

    /// <inheritdoc/>
    public IStateFile Replace(Action<IStateFile> write)
    {
        SimulatedFile fresh = Medium.CreateStateFile("journal", FlushPoint.None);
        SimulatedStateFile file = fresh.Open();
        write(file);
        file.Flush(FlushPoint.NewJournal);
        Rename(fresh, FlushPoint.JournalName);
        Replacements++;
        return file;
    }

    /// <summary>Takes the journal away, durably.</summary>
    public void Remove() => Rename(null, FlushPoint.None);

    internal override void PowerCut()
    {
        SimulatedFile? survivor = _names[Medium.Random.Next(_names.Count)];
        Settle(survivor);
    }

    private void Rename(SimulatedFile? file, FlushPoint flush)
    {
        FailIfDue();
        _names.Add(file);
        FailIfDue();
        if (flush == FlushPoint.None || Medium.TakenOut != flush)
        {
            Settle(file);
        }
    }

    private void FailIfDue()
    {
        if (Medium.MustFail())
        {
            throw new DiskSyncException(FailureKind.Destination, "rename the journal: a simulated failure", "Go on.");
        }
    }

    private void Settle(SimulatedFile? file)
    {
        foreach (SimulatedFile? other in _names.Where(f => f is not null && f != file))
        {
            Medium.Remove(other!);
        }

        _names.Clear();
        _names.Add(file);
    }
}
