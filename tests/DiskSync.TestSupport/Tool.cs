using System.ComponentModel;
using System.Diagnostics;

namespace DiskSync.TestSupport;

/// <summary>Runs the system's own tools. A missing one fails the test with the package to install; nothing is skipped.</summary>
public static class Tool
{
    /// <summary>Runs a program to its end.</summary>
    /// <param name="package">The Debian package that has it.</param>
    /// <param name="program">Its name.</param>
    /// <param name="arguments">Its arguments, not split or expanded.</param>
    /// <returns>Its standard output without trailing white space.</returns>
    /// <exception cref="InvalidOperationException">It is missing, or ended with another exit code than 0.</exception>
    public static string Run(string package, string program, params string[] arguments)
    {
        (int code, string output, string error) = TryRun(package, program, arguments);
        return code == 0
            ? output
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} ended with {code}: {error} {output}");
    }

    /// <summary>Runs a program to its end, whatever its exit code.</summary>
    public static (int Code, string Output, string Error) TryRun(
        string package, string program, params string[] arguments)
    {
        using Process process = Start(package, program, arguments);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.TrimEnd(), error.GetAwaiter().GetResult().TrimEnd());
    }

    /// <summary>Starts a program with all three streams redirected; the caller ends and disposes it.</summary>
    public static Process Start(string package, string program, params string[] arguments)
    {
        // Disk tools live in sbin, which an ordinary user's PATH may lack.
        string file = Find(program) ?? throw Missing(package, program, null);
        var info = new ProcessStartInfo(file, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["LC_ALL"] = "C";
        try
        {
            return Process.Start(info)!;
        }
        catch (Win32Exception e)
        {
            throw Missing(package, program, e);
        }
    }

    private static string? Find(string program)
    {
        string path = Environment.GetEnvironmentVariable("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Join(folder, program))
            .FirstOrDefault(File.Exists);
    }

    private static InvalidOperationException Missing(string package, string program, Exception? inner) => new(
        $"this test needs the program {program}: install the Debian package {package} (tools/test does)", inner);
}
