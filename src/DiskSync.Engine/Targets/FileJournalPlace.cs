using DiskSync.Engine.Journal;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>A target's journal as a file in the target's folder.</summary>
/// <param name="paths">The target's files.</param>
/// <param name="leaf">Another of its state files; null for the journal.</param>
internal sealed class FileJournalPlace(TargetPaths paths, string? leaf = null) : IJournalPlace
{
    private readonly string _leaf = leaf ?? paths.Journal;

    /// <inheritdoc/>
    public IStateFile? OpenExisting()
    {
        if (paths.StatOf(_leaf) is null)
        {
            return null;
        }

        // A run that died between its rename and the folder's flush leaves a name that a power cut would take back, and
        // with it everything that is written to this file from here on (found by a simulated power cut: a fencing
        // number was given out twice).
        paths.Flush();
        return new DiskStateFile(paths.OpenFile(_leaf, LinuxOpen.ReadWrite | LinuxOpen.NoFollow), null);
    }

    /// <inheritdoc/>
    public IStateFile Replace(Action<IStateFile> write)
    {
        string fresh = _leaf + ".new";
        DiskStateFile file = new(
            paths.OpenFile(fresh, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Truncate | LinuxOpen.NoFollow), null);
        try
        {
            write(file);
            file.Flush();
            paths.Rename(fresh, _leaf);
            paths.Flush();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
