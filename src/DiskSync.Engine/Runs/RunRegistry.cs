using System.Globalization;
using System.Text.Json;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;

namespace DiskSync.Engine.Runs;

/// <summary>The runs of a host: one small file each, in STATE/runs, removed when the run ends by itself.</summary>
/// <remarks>
/// A file whose process is gone tells of a run that was killed. A limit is changed by writing STATE/runs/ID.limit, which
/// the run looks at once a second. Nothing here is needed for correctness: losing it loses a line of <c>status</c>.
/// </remarks>
public sealed class RunRegistry
{
    private readonly string _folder;

    /// <summary>Opens the registry of a state folder, which need not exist yet.</summary>
    public RunRegistry(string stateFolder)
    {
        _folder = Path.Join(stateFolder, "runs");
    }

    /// <summary>Registers this process as a run.</summary>
    /// <param name="command">push, migrate or receive.</param>
    /// <param name="images">The images, as full paths; for a receiver its root.</param>
    /// <param name="destination">The destination as the user wrote it.</param>
    /// <param name="limit">Followed by what the user sets while the run lasts; null where nothing is limited.</param>
    /// <param name="next">Where progress is passed on to; null for nowhere.</param>
    /// <returns>The run; disposing it removes its file. Where the folder cannot be made there is no file, and the run is not listed.</returns>
    public Run Register(
        string command, IReadOnlyList<string> images, string destination, RateLimiter? limit, IProgressSink? next)
    {
        try
        {
            StateFolder.Create(_folder);
        }
        catch (DiskSyncException)
        {
            // A push needs no state folder; it only goes unlisted.
        }

        return new Run(_folder, limit, new RunRecord
        {
            Id = $"{command}-{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}",
            Command = command,
            Pid = Environment.ProcessId,
            PidStartTicks = StartTicksOf(Environment.ProcessId) ?? 0,
            Images = images,
            Destination = destination,
            StartedAt = DateTimeOffset.UtcNow,
        }, next);
    }

    /// <summary>All runs, those whose process is gone included, oldest first.</summary>
    public IReadOnlyList<RunRecord> List()
    {
        List<RunRecord> runs = [];
        if (!Directory.Exists(_folder))
        {
            return runs;
        }

        foreach (string file in Directory.EnumerateFiles(_folder, "*.json"))
        {
            try
            {
                if (JsonSerializer.Deserialize(File.ReadAllBytes(file), RunJson.Default.RunRecord) is { } run)
                {
                    runs.Add(run);
                }
            }
            catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
            {
                // Being written, removed or somebody else's: not a run that we could tell about.
            }
        }

        return [.. runs.OrderBy(r => r.StartedAt)];
    }

    /// <summary>Whether a run's process still lives, and is the same one.</summary>
    public static bool IsAlive(RunRecord run) => StartTicksOf(run.Pid) == run.PidStartTicks;

    /// <summary>Asks a run to change its bandwidth limit; it follows within a second.</summary>
    /// <param name="id">The run.</param>
    /// <param name="bytesPerSecond">The new limit; 0 for none.</param>
    public void SetLimit(string id, long bytesPerSecond)
    {
        string path = Path.Join(_folder, id + ".limit");
        File.WriteAllText(path + ".new", bytesPerSecond.ToString(CultureInfo.InvariantCulture));
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>Forgets a run whose process is gone.</summary>
    public void Forget(string id)
    {
        File.Delete(Path.Join(_folder, id + ".json"));
        File.Delete(Path.Join(_folder, id + ".limit"));
    }

    /// <summary>Field 22 of /proc/PID/stat (proc(5)), counted after the command's closing parenthesis; null where there is no such process.</summary>
    private static ulong? StartTicksOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return ulong.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
