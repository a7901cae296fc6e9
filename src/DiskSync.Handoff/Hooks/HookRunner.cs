using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using DiskSync.Linux;

namespace DiskSync.Handoff.Hooks;

/// <summary>Runs a command through <c>/bin/sh -c</c> as a hook: in a session of its own, with a time limit, and never on our standard streams.</summary>
/// <remarks>
/// <para>
/// The command gets a session and process group of its own (setsid), so a Ctrl-C typed at <c>disksync</c> does not
/// reach it: a pause that is cut off half way would be worse than one that ends. At the time limit the whole group
/// gets SIGTERM, and two seconds later SIGKILL; one that hangs in the kernel even then is left behind and reported.
/// Only the limit ends a hook; there is no cancellation.
/// </para>
/// <para>
/// Its standard input is /dev/null. Its output goes to a file, not through a pipe to us: it can neither reach our
/// standard output (which may be the protocol) nor stop because nobody reads, and a guest that it leaves running in
/// the background is not killed by a closed pipe when we end. The hook is over when the command's own process
/// ends, not when its children have closed their output.
/// </para>
/// <para>Thread safe.</para>
/// </remarks>
public sealed class HookRunner
{
    /// <summary>How much of a hook's output is kept, in bytes, counted from its end.</summary>
    public const int KeptOutput = 4096;

    private const string OutputPrefix = "disksync-hook-";
    private readonly TimeSpan _limit;
    private readonly string _outputFolder;

    /// <summary>Sets what all its hooks share.</summary>
    /// <param name="limit">The time limit.</param>
    /// <param name="outputFolder">Where a hook's output is kept while it runs; null for the system's folder for temporary files.</param>
    public HookRunner(TimeSpan limit, string? outputFolder = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero);
        _limit = limit;
        _outputFolder = outputFolder ?? Path.GetTempPath();
    }

    /// <summary>The time limit of each hook.</summary>
    public TimeSpan Limit => _limit;

    /// <summary>Runs the command to its end or its time limit.</summary>
    /// <param name="command">For <c>/bin/sh -c</c>.</param>
    /// <param name="environment">Added to the environment that this process has.</param>
    /// <returns>How it ended; -1 where it could not be started, with the reason as its output.</returns>
    public async Task<HookResult> RunAsync(string command, IReadOnlyDictionary<string, string> environment)
    {
        ArgumentException.ThrowIfNullOrEmpty(command);
        ArgumentNullException.ThrowIfNull(environment);
        long start = Stopwatch.GetTimestamp();
        Sweep();
        string output = Path.Combine(_outputFolder, $"{OutputPrefix}{Environment.ProcessId}-{Guid.NewGuid():N}");
        try
        {
            using (new FileStream(output, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
            }

            using Process process = Start(command, output, environment);
            bool timedOut = !await EndsWithinAsync(process, _limit);
            if (timedOut && !await HookGroup.EndAsync(process.Id, limit => EndsWithinAsync(process, limit)))
            {
                string stuck = $"{Tail(output)}\nprocess {process.Id} is still there although it was killed: it hangs in the kernel, as on storage that does not answer\n";
                return new HookResult(-1, timedOut, stuck, Stopwatch.GetElapsedTime(start));
            }

            return new HookResult(process.ExitCode, timedOut, Tail(output), Stopwatch.GetElapsedTime(start));
        }
        catch (Exception e) when (e is Win32Exception or IOException or UnauthorizedAccessException)
        {
            return new HookResult(-1, TimedOut: false, $"the hook could not be started: {e.Message}", Stopwatch.GetElapsedTime(start));
        }
        finally
        {
            if (File.Exists(output))
            {
                File.Delete(output);
            }
        }
    }

    /// <summary>Removes what killed processes have left: nobody will read it, and a hook that still writes to it does not notice.</summary>
    private void Sweep()
    {
        try
        {
            foreach (string path in Directory.EnumerateFiles(_outputFolder, OutputPrefix + "*"))
            {
                string[] parts = Path.GetFileName(path)[OutputPrefix.Length..].Split('-');
                if (parts.Length == 2 && int.TryParse(parts[0], out int owner) && !Directory.Exists($"/proc/{owner}"))
                {
                    File.Delete(path);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's, or just removed by another process.
        }
    }

    private static Process Start(string command, string output, IReadOnlyDictionary<string, string> environment)
    {
        // setsid(1) is part of util-linux. The child is no group leader, so it does not fork and keeps its process
        // id, which thereby is the id of the group.
        ProcessStartInfo info = new("setsid")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.ArgumentList.Add("/bin/sh");
        info.ArgumentList.Add("-c");
        info.ArgumentList.Add("exec /bin/sh -c \"$1\" </dev/null >>\"$2\" 2>&1");
        info.ArgumentList.Add("disksync-hook");
        info.ArgumentList.Add(command);
        info.ArgumentList.Add(output);
        foreach ((string name, string value) in environment)
        {
            info.Environment[name] = value;
        }

        // A guest that it starts must not be as nice as a copy may be.
        Process process = ProcessPriority.AsBefore(() => Process.Start(info)) ?? throw new IOException("no process was started");
        process.StandardInput.Close();
        return process;
    }

    private static async Task<bool> EndsWithinAsync(Process process, TimeSpan limit)
    {
        using CancellationTokenSource timer = new(limit);
        try
        {
            await process.WaitForExitAsync(timer.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return process.HasExited;
        }
    }

    private static string Tail(string path)
    {
        // A sweep by a process that cannot see this one (another PID namespace) must not make a failure of a success.
        if (!File.Exists(path))
        {
            return string.Empty;
        }

        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Seek(-Math.Min(file.Length, KeptOutput), SeekOrigin.End);
        byte[] bytes = new byte[KeptOutput];
        int length = file.ReadAtLeast(bytes, KeptOutput, throwOnEndOfStream: false);
        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
