using System.CommandLine;
using DiskSync.Cli.Commands;
using DiskSync.Cli.Help;
using DiskSync.Cli.Output;
using DiskSync.Engine;
using DiskSync.Engine.Transports;

namespace DiskSync.Cli.Running;

/// <summary>From a command line to an exit code.</summary>
internal static class CommandRunner
{
    /// <summary>The program's entry.</summary>
    public static int RunProcess(string[] args)
    {
        SystemAuthorities.Ignore();
        using var output = CommandOutput.OfProcess();
        using var stop = new StopSignals(output);
        return RunAsync(args, output, stop.Token).GetAwaiter().GetResult();
    }

    /// <summary>Runs one command line; never throws.</summary>
    public static async Task<int> RunAsync(string[] args, CommandOutput output, CancellationToken cancellation)
    {
        try
        {
            int code = await DispatchAsync(args, output, cancellation).ConfigureAwait(false);
            output.Flush();
            return code;
        }
        catch (DiskSyncException failure)
        {
            return output.Failure((int)failure.Kind, failure.Message, failure.Advice);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return output.Failure((int)FailureKind.Interrupted, "interrupted", string.Empty);
        }
#pragma warning disable CA1031 // The last net: whatever arrives here is our bug, and its user gets a report to send in.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            return output.Failure(
                ExitCodes.Bug,
                $"this is a bug in disksync {AppVersion.Text}: {bug.GetType().Name}: {bug.Message}",
                "Please report it with the command line and the lines below." + Environment.NewLine + bug.StackTrace);
        }
    }

    private static Task<int> DispatchAsync(string[] args, CommandOutput output, CancellationToken cancellation)
    {
        // The three command lines of a newcomer need no parser, which is most of the time to an answer.
        if (args is ["--help" or "-h" or "-?" or "help"])
        {
            RootHelp.Write(output.Out);
            return Task.FromResult(ExitCodes.Done);
        }

        if (args is ["--version"])
        {
            output.Out.WriteLine($"disksync {AppVersion.Text}");
            return Task.FromResult(ExitCodes.Done);
        }

        if (args.Length == 0)
        {
            RootHelp.Write(output.Error);
            return Task.FromResult((int)FailureKind.Usage);
        }

        return ParsedCommand.RunAsync(args is ["help", ..] ? [.. args[1..], "--help"] : args, output, cancellation);
    }
}
