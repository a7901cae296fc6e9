using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>Options of sockets that .NET has no name for, by descriptor.</summary>
internal static unsafe partial class SocketCalls
{
    internal const int Ip = 0;
    internal const int Tcp = 6;
    internal const int IpV6 = 41;

    internal const int IpTos = 1;
    internal const int IpV6TrafficClass = 67;
    internal const int TcpInformation = 11;

    [LibraryImport(Call.Library, EntryPoint = "getsockopt", SetLastError = true)]
    internal static partial int GetOption(int socket, int level, int name, void* value, ref uint length);

    [LibraryImport(Call.Library, EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetOption(int socket, int level, int name, in int value, uint length);
}
