using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DiskSync.TestSupport;

/// <summary>Runs the built <c>disksync.dll</c> as a real process.</summary>
/// <remarks>Not thread safe. Disposing kills a process that still runs.</remarks>
public sealed partial class DisksyncProcess : IDisposable
{
    /// <summary>How long a run may take before the test fails.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(2);

    // The host's own state folder is nobody's playground: what runs in a test keeps its state with the test.
    private static readonly TempFolder State = NewState();

    private readonly Task<string> _output;
    private readonly Task<string> _error;

    private DisksyncProcess(Process process, bool readOutput)
    {
        Process = process;
        _output = readOutput ? process.StandardOutput.ReadToEndAsync() : Task.FromResult(string.Empty);
        _error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The process; its standard input is a pipe, open until <see cref="WaitAsync"/>.</summary>
    public Process Process { get; }

    /// <summary>The path of disksync.dll: beside the tests, or as src/DiskSync.Cli built it in this configuration.</summary>
    public static string DllPath { get; } = FindDll();

    /// <summary>Runs to the end.</summary>
    public static Task<DisksyncResult> RunAsync(params string[] arguments) => RunAsync(arguments, null);

    /// <summary>Runs to the end.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="configure">Changes what is started: environment, folder, or another program around it.</param>
    public static async Task<DisksyncResult> RunAsync(
        IReadOnlyList<string> arguments, Action<ProcessStartInfo>? configure)
    {
        using DisksyncProcess run = Start(arguments, configure);
        return await run.WaitAsync();
    }

    /// <summary>Starts and returns at once.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="configure">Changes what is started.</param>
    /// <param name="readOutput">False where the test reads standard output itself.</param>
    public static DisksyncProcess Start(
        IReadOnlyList<string> arguments, Action<ProcessStartInfo>? configure = null, bool readOutput = true)
    {
        var info = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["DISKSYNC_STATE"] = State.File("state");

        // The runtime's pipes for debuggers would stay in /tmp where a test kills the process.
        info.Environment["DOTNET_EnableDiagnostics"] = "0";
        info.ArgumentList.Add(DllPath);
        foreach (string argument in arguments)
        {
            info.ArgumentList.Add(argument);
        }

        configure?.Invoke(info);
        return new DisksyncProcess(Process.Start(info)!, readOutput);
    }

    /// <summary>Sends a signal: 2 is Ctrl-C, 9 kill, 15 terminate, 19 stop, 18 continue.</summary>
    public void Signal(int signal)
    {
        if (Kill(Process.Id, signal) != 0 && !Process.HasExited)
        {
            throw new InvalidOperationException($"kill({Process.Id}, {signal}): errno {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <summary>Closes standard input and waits for the end.</summary>
    /// <exception cref="TimeoutException">It did not end in time; what it wrote is in the message.</exception>
    public async Task<DisksyncResult> WaitAsync(TimeSpan? timeout = null)
    {
        Process.StandardInput.Close();
        using var limit = new CancellationTokenSource(timeout ?? DefaultTimeout);
        try
        {
            await Process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException late)
        {
            Process.Kill(entireProcessTree: true);
            throw new TimeoutException($"disksync did not end; it said: {await _error}", late);
        }

        return new DisksyncResult(Process.ExitCode, await _output, await _error);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Process.Kill(entireProcessTree: true);
        }

        Process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int pid, int signal);

    private static string FindDll()
    {
        string beside = Path.Combine(AppContext.BaseDirectory, "disksync.dll");
        if (File.Exists(beside) && File.Exists(Path.ChangeExtension(beside, ".runtimeconfig.json")))
        {
            return beside;
        }

        // A test project that does not reference the program: <root>/tests/X/bin/<configuration>/net10.0/.
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        string configuration = folder.Parent!.Name;
        for (DirectoryInfo? at = folder; at is not null; at = at.Parent)
        {
            string built = Path.Combine(
                at.FullName, "src", "DiskSync.Cli", "bin", configuration, folder.Name, "disksync.dll");
            if (File.Exists(built))
            {
                return built;
            }
        }

        throw new FileNotFoundException("disksync.dll is not built: dotnet build src/DiskSync.Cli");
    }

    private static TempFolder NewState()
    {
        TempFolder folder = new();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Dispose();
        return folder;
    }
}
