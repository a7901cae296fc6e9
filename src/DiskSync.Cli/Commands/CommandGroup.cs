namespace DiskSync.Cli.Commands;

/// <summary>The headings under which <c>disksync --help</c> lists the commands, in this order.</summary>
internal enum CommandGroup
{
    /// <summary>Commands that look at images and change nothing.</summary>
    Compare,

    /// <summary>Copies by way of a file.</summary>
    Delta,

    /// <summary>Copies to another host.</summary>
    Copy,

    /// <summary>What is under way here, and who may write.</summary>
    State,

    /// <summary>Everything else.</summary>
    Shell,
}
