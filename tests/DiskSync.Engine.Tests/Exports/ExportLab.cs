using System.Net.Sockets;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Transports;
using DiskSync.Linux;
using DiskSync.Nbd.Client;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Exports;

/// <summary>A file, served on a Unix socket as disksync export does it.</summary>
internal sealed class ExportLab : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _path;
    private readonly LinuxBlockDevice _image;
    private readonly BlockDeviceExport _export;
    private readonly NbdServer _server;
    private readonly ExportListener _listener;

    public ExportLab(long length)
    {
        _path = _folder.File("image");
        using (FileStream file = File.Create(_path))
        {
            file.SetLength(length);
        }

        Socket = _folder.File("s");
        _image = ExportedImage.Open(_path);
        _export = new BlockDeviceExport(_image, "disk", isReadOnly: false);
        _server = new NbdServer([_export], new NbdServerOptions { Pause = static () => Thread.Yield() });
        _listener = ExportListener.Start([ListenAddress.Parse($"unix:{Socket}")], _server, Warn);
    }

    public string Socket { get; }

    /// <summary>What was said of connections; lock it.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>What the file holds; .NET's own file classes heed the export's lock.</summary>
    public byte[] Content()
    {
        using LinuxFile file = LinuxFile.Open(_path, LinuxOpen.ReadOnly);
        byte[] content = new byte[file.Length()];
        file.ReadExactlyAt(content, 0);
        return content;
    }

    public NbdClient Connect() => NbdClient.Connect(
        NbdDialer.For(NbdUri.Parse($"nbd+unix:///?socket={Socket}")), new NbdClientOptions { InFlightRequests = 32 });

    /// <summary>A connection on which nothing has been said yet.</summary>
    public Socket Dial()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Socket));
        return socket;
    }

    /// <summary>A connection that asks for the export and goes on without reading a word of the answers.</summary>
    public Socket DialDeaf()
    {
        Socket socket = Dial();
        byte[] hello = [0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 7, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0];
        Send(socket, hello);
        return socket;
    }

    public static void Send(Socket socket, NbdCommand command, ulong cookie, ulong offset, uint length)
    {
        byte[] request = new byte[NbdRequest.Size];
        new NbdRequest(NbdCommandFlags.None, command, cookie, offset, length).Write(request);
        Send(socket, request);
    }

    public static void Send(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _server.Dispose();
        _export.Dispose();
        _image.Dispose();
        _folder.Dispose();
    }

    private void Warn(string warning)
    {
        lock (Warnings)
        {
            Warnings.Add(warning);
        }
    }
}
