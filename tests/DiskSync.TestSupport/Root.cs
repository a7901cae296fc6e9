namespace DiskSync.TestSupport;

/// <summary>Says plainly that a test needs root, instead of failing somewhere inside a tool.</summary>
internal static class Root
{
    internal static void Require(string why)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new InvalidOperationException($"this test needs root to {why}: run tools/test as root");
        }
    }
}
