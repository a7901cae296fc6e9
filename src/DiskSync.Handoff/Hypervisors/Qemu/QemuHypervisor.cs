using DiskSync.Engine.Progress;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>QEMU processes over QMP; the journal keeps <c>qmp:SOCKET</c>.</summary>
/// <remarks>
/// Each step makes a connection of its own and closes it: a monitor serves one client at a time, and between the steps
/// another command of ours, after a crash, must get in. Thread safe.
/// </remarks>
public sealed class QemuHypervisor : IHypervisor
{
    /// <summary>Sets what all its machines share.</summary>
    /// <param name="limit">The longest that QEMU may take for one answer, or for one step but the copy of memory.</param>
    public QemuHypervisor(TimeSpan limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero);
        Limit = limit;
    }

    /// <inheritdoc/>
    public TimeSpan Limit { get; }

    /// <summary>A machine at the source that can be paused, too.</summary>
    /// <param name="address"><c>qmp:SOCKET</c>.</param>
    /// <param name="memory">Where its memory goes, and how long that may take; null where the machine starts anew at the destination.</param>
    /// <param name="progress">Hears how the memory is copied.</param>
    public ISourceMachine Machine(string address, MemoryRoute? memory, IProgressSink progress) =>
        new QemuSourceMachine(QmpAddress.PathOf(address), memory, Limit, progress);

    /// <inheritdoc/>
    public ISourceMachine Source(string record) => Machine(record, null, NoProgress.Instance);

    /// <inheritdoc/>
    public IDestinationMachine Destination(string resume) => new QemuDestinationMachine(QmpAddress.PathOf(resume), Limit);
}
