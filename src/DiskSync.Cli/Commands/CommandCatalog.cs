namespace DiskSync.Cli.Commands;

/// <summary>Every command of <c>disksync</c>, in the order of the help.</summary>
/// <remarks>
/// The catalogue is plain data so that <c>disksync --help</c> needs no option parser, and so that a run builds only
/// the command it was asked for: start-up time is part of the product. To add a command, write its file in this
/// folder and its line here; a test checks that help, man page and docs/commands.md know it.
/// </remarks>
internal static class CommandCatalog
{
    /// <summary>The commands.</summary>
    public static IReadOnlyList<CommandEntry> All { get; } =
    [
        new("diff", CommandGroup.Compare, "BASE IMAGE", "what changed: blocks, bytes, extents, a picture", static () => new DiffCommand()),
        new("map", CommandGroup.Compare, "IMAGE [-o FILE]", "root hash and block map of an image", static () => new MapCommand()),
        new("verify", CommandGroup.Compare, "IMAGE OTHER", "is it the same as an image, a map or a root hash?", static () => new VerifyCommand()),
        new("delta", CommandGroup.Delta, "BASE IMAGE -o FILE", "a file that turns BASE into IMAGE", static () => new DeltaCommand()),
        new("apply", CommandGroup.Delta, "FILE TARGET", "turn a copy of the delta's base into its image", static () => new ApplyCommand()),
        new("push", CommandGroup.Copy, "IMAGE DEST", "one proven copy of an image", static () => new PushCommand()),
        new("migrate", CommandGroup.Copy, "IMAGE... DEST", "move a running machine's disks: rounds, pause, hand-over", static () => new MigrateCommand()),
        new("receive", CommandGroup.Copy, "--stdio | --listen WHERE", "the other end of push and migrate", static () => new ReceiveCommand()),
        new("export", CommandGroup.Copy, "IMAGE --listen WHERE", "an image over NBD, for QEMU and others", static () => new ExportCommand()),
        new("tail", CommandGroup.Copy, "IMAGE", "what a machine that moved early still misses", static () => new TailCommand()),
        new("keygen", CommandGroup.Copy, "", "make the key by which other hosts know this one", static () => new KeygenCommand()),
        new("trust", CommandGroup.Copy, "NAME FINGERPRINT", "which hosts may come, and which key answers where", static () => new TrustCommand()),
        new("owner", CommandGroup.State, "IMAGE", "who may write, what is in doubt, and the way out", static () => new OwnerCommand()),
        new("status", CommandGroup.State, "", "runs here, what is staged, what can be resumed", static () => new StatusCommand()),
        new("abort", CommandGroup.State, "RUN", "stop a run as Ctrl-C would", static () => new AbortCommand()),
        new("clean", CommandGroup.State, "[IMAGE...]", "list what earlier runs have left, remove what you choose", static () => new CleanCommand()),
        new("completion", CommandGroup.Shell, "bash|zsh|fish", "print a completion script for a shell", static () => new CompletionCommand()),
        new("manual", CommandGroup.Shell, "", "print the manual page", static () => new ManualCommand()),
    ];

    /// <summary>The command of a name, or null.</summary>
    public static CommandEntry? Find(string name)
    {
        foreach (CommandEntry entry in All)
        {
            if (string.Equals(entry.Name, name, StringComparison.Ordinal))
            {
                return entry;
            }
        }

        return null;
    }
}
