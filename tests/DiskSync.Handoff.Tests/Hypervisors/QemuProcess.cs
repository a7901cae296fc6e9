using System.Diagnostics;
using DiskSync.Engine;
using DiskSync.Handoff.Hypervisors.Qemu;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>One real QEMU with a monitor; ended when it is disposed.</summary>
internal sealed class QemuProcess : IDisposable
{
    /// <summary>A machine with nothing in it: it starts and moves in milliseconds, and still has all of QEMU's states.</summary>
    public static readonly string[] Bare = ["-machine", "none"];

    private readonly Process _process;
    private readonly Task<string> _error;

    private QemuProcess(Process process, string socket)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
        Socket = socket;
    }

    /// <summary>The monitor's path.</summary>
    public string Socket { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Starts one and waits for its monitor.</summary>
    /// <param name="socket">The monitor's path; what an earlier one left there is removed.</param>
    /// <param name="arguments">The machine.</param>
    public static async Task<QemuProcess> StartAsync(string socket, params string[] arguments)
    {
        File.Delete(socket);
        Process process = Tool.Start(
            "qemu-system-x86",
            "qemu-system-x86_64",
            ["-accel", "tcg", "-nodefaults", "-display", "none", "-qmp", $"unix:{socket},server=on,wait=off", .. arguments]);
        QemuProcess qemu = new(process, socket);
        while (!File.Exists(socket))
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"QEMU did not start: {await qemu._error}");
            }

            await Task.Delay(10);
        }

        return qemu;
    }

    /// <summary>QEMU's word for how its machine is; "gone" where there is none.</summary>
    public async Task<string> StatusAsync()
    {
        if (HasExited)
        {
            return "gone";
        }

        using QemuMonitor monitor = await QemuMonitor.OpenAsync(Side.Source, Socket, TimeSpan.FromSeconds(20), CancellationToken.None);
        return await monitor.StatusAsync(CancellationToken.None);
    }

    /// <summary>Stops the process itself, so that nobody answers any more.</summary>
    public void Freeze() => Tool.Run("util-linux", "kill", "-STOP", Id.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Undoes <see cref="Freeze"/>.</summary>
    public void Thaw() => Tool.Run("util-linux", "kill", "-CONT", Id.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.WaitForExit();
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }
}
