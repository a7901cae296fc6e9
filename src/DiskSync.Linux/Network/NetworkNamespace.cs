using System.Runtime.ExceptionServices;
using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>Does something inside another network namespace, as <c>ip netns exec</c> does for a program.</summary>
/// <remarks>
/// The kernel keeps namespaces by thread, and a thread of the pool that had changed would do other work there later:
/// each action has a thread of its own, which ends with it. What the action opened (a TUN device, a socket) stays in
/// its namespace whoever uses it afterwards. network_namespaces(7), setns(2).
/// </remarks>
public static class NetworkNamespace
{
    private const string Folder = "/run/netns";

    /// <summary>The path of a namespace that <c>ip netns add</c> made; a path is taken as it is.</summary>
    /// <param name="name">Its name, or a path such as /proc/PID/ns/net.</param>
    public static string PathOf(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return name.Contains('/', StringComparison.Ordinal) ? name : Path.Join(Folder, name);
    }

    /// <summary>Runs the action in a namespace and returns what it returned, or throws what it threw.</summary>
    /// <param name="name">The namespace's name or path, as for <see cref="PathOf"/>.</param>
    /// <param name="action">What to do there; the calling thread waits for it.</param>
    /// <exception cref="LinuxException">There is no such namespace, or this user may not enter it (CAP_SYS_ADMIN).</exception>
    public static T Run<T>(string name, Func<T> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        using LinuxFile file = LinuxFile.Open(PathOf(name), LinuxOpen.ReadOnly);
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                if (NetworkCalls.EnterNamespace(file.Handle, NetworkCalls.NewNetwork) < 0)
                {
                    throw LinuxException.Last("enter the network namespace", file.Path);
                }

                result = action();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }
}
