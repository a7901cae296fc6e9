using DiskSync.Engine.Journal;
using DiskSync.Linux;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>The journal beside a staged copy, as a receiver that was killed would leave it.</summary>
/// <param name="staged">The staged copy.</param>
internal sealed class JournalBeside(string staged) : IJournalPlace
{
    public IStateFile? OpenExisting() => throw new NotSupportedException("a test writes it and a receiver reads it");

    public IStateFile Replace(Action<IStateFile> write)
    {
        DiskStateFile file = new(LinuxFile.Open(staged + ".journal", LinuxOpen.ReadWrite | LinuxOpen.Create), null);
        write(file);
        return file;
    }
}
