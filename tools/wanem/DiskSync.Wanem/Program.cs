using System.Runtime.InteropServices;
using DiskSync.Linux;

namespace DiskSync.Wanem;

/// <summary>Emulates a wide-area path between two network namespaces.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is ["--help" or "-h"])
        {
            Console.WriteLine(WanemOptions.Usage);
            return 0;
        }

        if (!WanemOptions.TryParse(arguments, out WanemOptions options, out string error))
        {
            Console.Error.WriteLine($"wanem: {error}");
            return 2;
        }

        try
        {
            return Run(options);
        }
        catch (LinuxException exception)
        {
            Console.Error.WriteLine($"wanem: {exception.Message}");
            return 1;
        }
    }

    private static int Run(WanemOptions options)
    {
        using ManualResetEventSlim stop = new();
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Set();
        }

        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using TunDevice a = NetworkNamespace.Run(options.A, () => TunDevice.Open(options.Device));
        using TunDevice b = NetworkNamespace.Run(options.B, () => TunDevice.Open(options.Device));
        Forwarder[] ways =
        [
            Way("a to b", a, b, options.AToB, options.Seed),
            Way("b to a", b, a, options.BToA, options.Seed + 1),
        ];
        foreach (Forwarder way in ways)
        {
            way.Start();
        }

        // Whoever started this waits for the line: the interfaces exist now.
        Console.WriteLine($"ready {a.Name} {b.Name}");
        stop.Wait();
        foreach (Forwarder way in ways)
        {
            way.Stop();
            Console.Error.WriteLine(Report.Of(way));
        }

        LinuxException? failure = ways.Select(way => way.Failure).FirstOrDefault(f => f is not null);
        return failure is null ? 0 : throw failure;

        Forwarder Way(string name, TunDevice from, TunDevice to, LinkOptions link, int seed) => new(
            name, from, to, new LinkModel(link, link.QueueLimit(options.RoundTrip), seed), new PacketPool(options.Mtu, options.Memory));
    }
}
