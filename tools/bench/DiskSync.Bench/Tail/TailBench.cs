using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Peers;
using DiskSync.Formats.Presence;
using DiskSync.Nbd.Client;
using DiskSync.Nbd.Server;
using DiskSync.TestSupport;
using DiskSync.TestSupport.PowerCuts;
using Microsoft.Extensions.Logging.Abstractions;

namespace DiskSync.Bench.Tail;

/// <summary>Both ends of an on-demand tail for tools/bench/tail, each in a process of its own: the source's serving loop; the receiver's relay, the export and a guest that reads what is missing.</summary>
internal static class TailBench
{
    /// <summary>Bytes that the guest reads at once.</summary>
    private const int ReadBytes = 4096;

    private const ulong Epoch = 2;

    /// <summary>Which hand-over it is; of both ends.</summary>
    public static Guid Attempt { get; } = new("00112233-4455-6677-8899-aabbccddeeff");

    /// <summary>Serves an image until the process is ended.</summary>
    /// <param name="address">The receiver's address.</param>
    /// <param name="port">Its port.</param>
    /// <param name="path">The image.</param>
    public static async Task ServeAsync(string address, int port, string path)
    {
        using IBlockDevice image = BlockDevices.OpenSource(path);
        using BlockDeviceExport export = new(image, "frozen", isReadOnly: true);
        PeerName receiver = PeerName.Of(address, port) ?? throw new ArgumentException($"no address: {address}", nameof(address));
        TailServer server = new(token => TcpTransport.ConnectAsync(receiver, null, token), export, new TailServerOptions(), Console.Error.WriteLine);
        await server.RunAsync(Attempt, Epoch, 0, CancellationToken.None);
    }

    /// <summary>Fetches, and reads at random what is missing, one read after the other; prints a line of figures.</summary>
    /// <param name="address">Where to listen.</param>
    /// <param name="port">The port.</param>
    /// <param name="folder">For the image.</param>
    /// <param name="length">Its length.</param>
    /// <param name="warm">Seconds before anything is measured.</param>
    /// <param name="seconds">Seconds that are measured.</param>
    /// <param name="pause">Seconds that the guest waits after each read.</param>
    public static async Task FetchAsync(string address, int port, string folder, long length, double warm, double seconds, double pause)
    {
        string path = Path.Combine(folder, "image");
        await using (FileStream file = File.Create(path))
        {
            file.SetLength(length);
        }

        using IBlockDevice image = BlockDevices.OpenTarget(path);
        SimulatedMedium medium = new(1);
        using PresenceMap map = PresenceMap.Create(
            new SimulatedJournalPlace(medium),
            medium.CreateStateFile("notes").Open(),
            new PresenceHeader(length, Guid.NewGuid(), Attempt, Epoch, Hash256.Unknown, 0),
            [],
            Guid.NewGuid());
        using TailedImage tailed = new(
            image, map, medium.CreateStateFile("written").Open(), new BlockGeometry(length, TailOptions.DefaultUnit), Hash256.Unknown, null, new NeverComplete(), new TailedImageOptions { Tell = Console.Error.WriteLine });
        using TailListener sources = TailListener.Start(Path.Combine(folder, "tail"), () => tailed, Console.Error.WriteLine);
        using BlockDeviceExport export = new(tailed.Device, "disk", isReadOnly: false);
        using NbdServer server = new([export], new NbdServerOptions());
        using ExportListener listener = ExportListener.Start([ListenAddress.Parse($"unix:{folder}/nbd")], server, Console.Error.WriteLine);
        ReceiverHost host = new(
            new FileTargetProvider(folder, Path.Combine(folder, "state")), new OneTail(Path.Combine(folder, "tail")), new ReceiverOptions(), NullLogger.Instance);
        using TcpListener receiver = new(IPAddress.Parse(address), port);
        receiver.Start();
        _ = AcceptAsync(receiver, host);
        using NbdClient guest = NbdClient.Connect(
            NbdDialer.For(NbdUri.Parse($"nbd+unix:///?socket={folder}/nbd")), new NbdClientOptions { ReplyLimit = TimeSpan.FromMinutes(10) });
        while (!tailed.State().IsLinked)
        {
            await Task.Delay(50);
        }

        Console.WriteLine("linked");
        await Task.Delay(TimeSpan.FromSeconds(warm));
        Console.WriteLine("measuring");
        List<double> times = [];
        Random random = new(7);
        byte[] buffer = new byte[ReadBytes];
        long start = Stopwatch.GetTimestamp();
        long before = (long)tailed.State().Missing;
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && tailed.State().Missing > 0)
        {
            long offset = random.NextInt64(length / ReadBytes) * ReadBytes;
            if (!tailed.Device.MayWait(offset, ReadBytes, isWrite: false))
            {
                continue;
            }

            long asked = Stopwatch.GetTimestamp();
            await guest.ReadAsync(offset, buffer, CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            if (pause > 0)
            {
                await Task.Delay(TimeSpan.FromSeconds(pause));
            }
        }

        double taken = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double rate = (before - (long)tailed.State().Missing) / taken;
        times.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"reads\":{times.Count},\"p50\":{At(0.5)},\"p95\":{At(0.95)},\"p99\":{At(0.99)},\"most\":{At(1)},\"bytesPerSecond\":{rate:0},\"left\":{tailed.State().Missing}}}"));

        double At(double share) => times.Count == 0 ? 0 : Math.Round(times[(int)Math.Min(times.Count - 1, share * times.Count)], 2);
    }

    private static async Task AcceptAsync(TcpListener listener, ReceiverHost host)
    {
        while (true)
        {
            Socket socket = await listener.AcceptSocketAsync();
            TcpSocketSettings.Apply(socket);
            NetworkStream stream = new(socket, ownsSocket: true);
            _ = host.ServeAsync(new StreamTransport(stream, stream, "the source"), CancellationToken.None);
        }
    }
}
