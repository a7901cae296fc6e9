using System.Text;
using System.Text.Json;
using DiskSync.Codecs;

namespace DiskSync.Handoff.Hooks;

/// <summary>Remembers how long hooks took here, so that the next forecast of a downtime need not guess.</summary>
/// <remarks>
/// A file in the state folder that maps the BLAKE3 of (action, where, command) to seconds. Nothing depends on it: one
/// that cannot be read or written only brings the guess back. Not thread safe; of two processes the last writer wins.
/// </remarks>
public sealed class HookTimes
{
    /// <summary>What a command that has not been run yet is given; most freeze or resume a guest in well under this.</summary>
    public static readonly TimeSpan Guess = TimeSpan.FromSeconds(0.5);

    private const int MaxEntries = 256;
    private readonly string _path;

    /// <summary>Names the file; touches nothing yet.</summary>
    /// <param name="stateFolder">The host's state folder.</param>
    public HookTimes(string stateFolder) => _path = Path.Join(stateFolder, "hook-times.json");

    /// <summary>How long a hook took when it last succeeded, or null where nobody remembers.</summary>
    /// <param name="action">What it does.</param>
    /// <param name="where">The host or address that it ran at; empty for this one.</param>
    /// <param name="command">The command or the hook's name.</param>
    public TimeSpan? Of(GuestAction action, string where, string command) =>
        Read().TryGetValue(KeyOf(action, where, command), out double seconds) && seconds is >= 0 and < 86400
            ? TimeSpan.FromSeconds(seconds)
            : null;

    /// <summary>Notes how long a hook took; nothing is noted where none was given, as no forecast asks for that.</summary>
    public void Note(GuestAction action, string where, string command, TimeSpan elapsed)
    {
        if (command.Length == 0)
        {
            return;
        }

        string key = KeyOf(action, where, command);
        Dictionary<string, double> times = Read();
        times.Remove(key);
        foreach (string oldest in times.Keys.Take(Math.Max(0, times.Count + 1 - MaxEntries)).ToArray())
        {
            times.Remove(oldest);
        }

        times[key] = Math.Round(elapsed.TotalSeconds, 3);
        string fresh = $"{_path}.{Environment.ProcessId}.new";
        try
        {
            File.WriteAllBytes(fresh, JsonSerializer.SerializeToUtf8Bytes(times, HookTimesJson.Default.DictionaryStringDouble));
            File.Move(fresh, _path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Then the next forecast guesses again.
        }
    }

    private Dictionary<string, double> Read()
    {
        try
        {
            using FileStream file = File.OpenRead(_path);
            return JsonSerializer.Deserialize(file, HookTimesJson.Default.DictionaryStringDouble) ?? [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }

    // A command may hold what is nobody else's business, so only its hash is kept.
    private static string KeyOf(GuestAction action, string where, string command) =>
        Blake3.Hash(Encoding.UTF8.GetBytes($"{action}\n{where}\n{command}")).ToString();
}
