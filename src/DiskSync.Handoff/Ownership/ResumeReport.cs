namespace DiskSync.Handoff.Ownership;

/// <summary>What became of the guest at the destination after OWNER.</summary>
/// <param name="Running">RUNNING is durable: the guest was resumed, or there is no resume command.</param>
/// <param name="ExitCode">The resume command's exit code; 0 where there was none.</param>
/// <param name="Output">The end of what it printed.</param>
public readonly record struct ResumeReport(bool Running, int ExitCode, string Output)
{
    /// <summary>For an error message, without a full stop: why the guest does not run.</summary>
    public string Describe()
    {
        string output = Output.Trim().TrimEnd('.');
        return ExitCode < 0 && output.Length > 0 ? $"its guest could not be resumed: {output}"
            : $"its resume command ended with exit code {ExitCode}{(output.Length > 0 ? $": {output}" : string.Empty)}";
    }
}
