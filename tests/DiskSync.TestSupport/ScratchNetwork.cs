namespace DiskSync.TestSupport;

/// <summary>A real network namespace of its own, with nothing in it. Needs root.</summary>
/// <remarks>Removed with <see cref="Dispose"/>; safe in parallel. Interfaces made in it are nobody else's.</remarks>
public sealed class ScratchNetwork : IDisposable
{
    /// <summary>Makes it.</summary>
    public ScratchNetwork()
    {
        Root.Require("make network namespaces");
        Name = $"disksync-test-{Environment.ProcessId}-{Guid.NewGuid():N}";
        Tool.Run("iproute2", "ip", "netns", "add", Name);
    }

    /// <summary>Its name, for <c>ip netns exec</c> and <c>ip -n</c>.</summary>
    public string Name { get; }

    /// <summary>Runs <c>ip</c> in it.</summary>
    public string Ip(params string[] arguments) => Tool.Run("iproute2", "ip", ["-n", Name, .. arguments]);

    /// <summary>Runs a program in it to its end.</summary>
    public (int Code, string Output, string Error) TryRun(params string[] command) =>
        Tool.TryRun("iproute2", "ip", ["netns", "exec", Name, .. command]);

    /// <inheritdoc/>
    public void Dispose() => Tool.TryRun("iproute2", "ip", "netns", "delete", Name);
}
