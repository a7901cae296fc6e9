using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DiskSync.Engine;
using DiskSync.Handoff.Hypervisors.Qemu;

namespace DiskSync.TestSupport;

/// <summary>One real QEMU (software emulation) with two monitors: one for whoever is tested, one for the test.</summary>
/// <remarks>Ended when it is disposed. Not thread safe.</remarks>
public sealed class QemuProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly Task<string> _error;

    private QemuProcess(Process process, string socket)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
        Socket = socket;
    }

    /// <summary>A machine with nothing in it: it starts and moves in milliseconds, and still has all of QEMU's states.</summary>
    public static IReadOnlyList<string> Bare { get; } = ["-machine", "none"];

    /// <summary>The path of the monitor for whoever is tested.</summary>
    public string Socket { get; }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Starts one and waits for its monitors.</summary>
    /// <param name="socket">The monitor's path; what an earlier one left there is removed. The test's own is beside it.</param>
    /// <param name="arguments">The machine.</param>
    public static async Task<QemuProcess> StartAsync(string socket, params IEnumerable<string> arguments)
    {
        File.Delete(socket);
        File.Delete(WatchOf(socket));
        Process process = Tool.Start(
            "qemu-system-x86",
            "qemu-system-x86_64",
            [
                "-accel", "tcg", "-nodefaults", "-display", "none",
                "-qmp", $"unix:{socket},server=on,wait=off", "-qmp", $"unix:{WatchOf(socket)},server=on,wait=off", .. arguments,
            ]);
        QemuProcess qemu = new(process, socket);
        while (!await qemu.AnswersAsync())
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"QEMU did not start: {await qemu._error}");
            }

            await Task.Delay(10);
        }

        return qemu;
    }

    /// <summary>What QEMU has written to its standard error; call it when it has ended.</summary>
    public Task<string> ErrorAsync() => _error;

    /// <summary>Runs a command on the test's own monitor.</summary>
    public async Task<JsonElement> ExecuteAsync(string command, JsonObject? arguments = null)
    {
        using QmpClient client = await QmpClient.ConnectAsync(Side.Source, WatchOf(Socket), Patience, CancellationToken.None);
        return await client.ExecuteAsync(command, arguments, CancellationToken.None);
    }

    /// <summary>QEMU's word for how its machine is; "gone" where there is no QEMU any more.</summary>
    public async Task<string> StatusAsync()
    {
        try
        {
            return HasExited ? "gone" : (await ExecuteAsync("query-status")).GetProperty("status").GetString()!;
        }
        catch (QmpConnectionException)
        {
            // One whose incoming migration has failed ends by itself.
            return "gone";
        }
    }

    /// <summary>Makes the copy of its memory take for ever.</summary>
    public Task ThrottleMemoryAsync() => ExecuteAsync("migrate-set-parameters", new JsonObject { ["max-bandwidth"] = 1000 });

    /// <summary>Stops the process itself, so that nobody answers any more.</summary>
    public void Freeze() => Signal("STOP");

    /// <summary>Undoes <see cref="Freeze"/>.</summary>
    public void Thaw() => Signal("CONT");

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.WaitForExit();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    // Its monitors are there before everything else, and a socket has its name before it listens; what is answered is whole.
    private async Task<bool> AnswersAsync()
    {
        try
        {
            await ExecuteAsync("query-status");
            return true;
        }
        catch (QmpConnectionException)
        {
            return false;
        }
    }

    private static string WatchOf(string socket) => socket + ".watch";

    private void Signal(string name) => Tool.Run("util-linux", "kill", $"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture));
}
