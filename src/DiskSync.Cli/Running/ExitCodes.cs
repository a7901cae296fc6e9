using DiskSync.Engine;

namespace DiskSync.Cli.Running;

/// <summary>The one published table of exit codes; the failures between are <see cref="FailureKind"/>.</summary>
internal static class ExitCodes
{
    /// <summary>The command did what it was asked to.</summary>
    public const int Done = 0;

    /// <summary>The command worked, and the images differ.</summary>
    public const int Different = 1;

    /// <summary>A bug of DiskSync (sysexits' EX_SOFTWARE).</summary>
    public const int Bug = 70;

    /// <summary>Code, name as in JSON, and what it means; in the order of the help.</summary>
    public static IReadOnlyList<(int Code, string Name, string Meaning)> Table { get; } =
    [
        (Done, "done", "done; for diff and verify: the images are the same"),
        (Different, "different", "diff, verify: the images differ"),
        ((int)FailureKind.Usage, "usage", "the command line cannot be understood"),
        ((int)FailureKind.Source, "source", "the source image could not be read, or changed under the copy"),
        ((int)FailureKind.Destination, "destination", "the destination could not be written, verified or flushed"),
        ((int)FailureKind.Transport, "transport", "the connection was lost or is not DiskSync's protocol"),
        ((int)FailureKind.Preflight, "preflight", "refused by a check before the first write; nothing was changed"),
        ((int)FailureKind.NotConverged, "not-converged", "the final round would not fit --max-downtime"),
        ((int)FailureKind.OwnershipInDoubt, "ownership", "ownership in doubt: see 'disksync owner IMAGE'"),
        ((int)FailureKind.Interrupted, "interrupted", "interrupted (Ctrl-C, SIGTERM, abort); can be resumed"),
        (Bug, "bug", "a bug of disksync; please report it"),
    ];

    /// <summary>The name of a code as JSON output has it.</summary>
    public static string NameOf(int code)
    {
        foreach ((int known, string name, string _) in Table)
        {
            if (known == code)
            {
                return name;
            }
        }

        return "bug";
    }
}
