using DiskSync.Engine.Progress;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Hypervisors.Qemu;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>Two real QEMUs.</summary>
internal sealed class QemuMachineLab : IMachineLab
{
    private readonly TempFolder _folder = new();
    private readonly IReadOnlyList<string> _machine;

    /// <summary>Nothing is started yet.</summary>
    /// <param name="machine">The machine's arguments; a bare one where there are none.</param>
    public QemuMachineLab(params string[] machine) => _machine = machine.Length > 0 ? machine : QemuProcess.Bare;

    /// <summary>The longest that a step may take.</summary>
    public TimeSpan Limit { get; set; } = TimeSpan.FromSeconds(30);

    public string MemoryUri => $"unix:{_folder.File("memory")}";

    public TimeSpan MemoryLimit { get; set; } = TimeSpan.FromSeconds(60);

    public QemuProcess Near { get; private set; } = null!;

    public QemuProcess Far { get; private set; } = null!;

    public ISourceMachine Source =>
        new QemuHypervisor(Limit).Machine(QmpAddress.Of(NearSocket), new MemoryRoute(MemoryUri, MemoryLimit), NoProgress.Instance);

    public IDestinationMachine Destination => new QemuHypervisor(Limit).Destination(QmpAddress.Of(FarSocket));

    public bool TakesMemory => true;

    public string NearSocket => _folder.File("near.qmp");

    public string FarSocket => _folder.File("far.qmp");

    public async Task StartAsync()
    {
        if (Near is null or { HasExited: true })
        {
            Near = await QemuProcess.StartAsync(NearSocket, _machine);
        }

        await StartFarAsync("-S");
    }

    /// <summary>Starts the destination alone.</summary>
    /// <param name="more">Arguments beside the machine's and <c>-incoming</c>.</param>
    public async Task StartFarAsync(params string[] more) =>
        Far = await QemuProcess.StartAsync(FarSocket, [.. _machine, "-incoming", MemoryUri, .. more]);

    /// <summary>Starts the source alone.</summary>
    public async Task StartNearAsync(params string[] more) => Near = await QemuProcess.StartAsync(NearSocket, [.. _machine, .. more]);

    public ISourceMachine FromJournal(string record) => new HostHypervisor(Limit).Source(record);

    public async Task<bool> RunsAtSourceAsync() => await Near.StatusAsync() == "running";

    public async Task<bool> RunsAtDestinationAsync() => await Far.StatusAsync() == "running";

    public void KillSource() => Near.Kill();

    public void KillDestination() => Far.Kill();

    public void Dispose()
    {
        Near?.Dispose();
        Far?.Dispose();
        _folder.Dispose();
    }
}
