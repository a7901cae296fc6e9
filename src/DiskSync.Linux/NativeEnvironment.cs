using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>The environment as C libraries in this process see it; .NET keeps a copy of its own, which children get.</summary>
public static class NativeEnvironment
{
    /// <summary>Sets a variable for the C libraries of this process: neither <see cref="Environment"/> nor children see it.</summary>
    /// <remarks>Not thread safe towards C libraries that read variables (setenv(3)): call it before anything else runs.</remarks>
    /// <param name="name">The variable.</param>
    /// <param name="value">Its value.</param>
    /// <exception cref="LinuxException">The kernel has no memory left, or the name is none.</exception>
    public static void Set(string name, string value)
    {
        // The first look makes the copy; from then on it does not follow.
        _ = Environment.GetEnvironmentVariables();
        if (EnvironmentCalls.Set(name, value, overwrite: 1) != 0)
        {
            throw LinuxException.Last("setenv", name);
        }
    }
}
