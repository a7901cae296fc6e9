using System.Net;
using System.Net.Sockets;

namespace DiskSync.TestSupport;

/// <summary>Ports of this host that nobody uses, for programs that cannot choose one themselves.</summary>
public static class FreePort
{
    /// <summary>A port of 127.0.0.1; somebody else may take it meanwhile, though the system hands out others first.</summary>
    public static int Take()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
