using System.Diagnostics;

namespace DiskSync.Interop.Tests;

/// <summary>A process that a process of ours has started.</summary>
internal static class OtherProcess
{
    /// <summary>Kills it (SIGKILL), where it has not ended already.</summary>
    public static void Kill(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            // It has ended.
        }
    }

    /// <summary>Whether it has ended, be it that nobody has asked yet how (a zombie): where its parent was killed, that may stay so.</summary>
    public static bool HasEnded(int id)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].StartsWith('Z');
        }
        catch (IOException)
        {
            return true;
        }
    }
}
