using System.Globalization;
using BenchmarkDotNet.Running;
using DiskSync.Bench.CodecChoice;
using DiskSync.Bench.Tail;

// dotnet run -c Release --project tools/bench/DiskSync.Bench -- --filter '*' --job short
// dotnet run -c Release --project tools/bench/DiskSync.Bench -- codecs FILE [MIB [COPIED-MIB]]: the choice of the codec, over links of many rates
// Whole processes beside their peers (b3sum, scp, rsync) are timed by the scripts in tools/bench.
if (args is ["codecs", string file, ..])
{
    using FileStream stream = File.OpenRead(file);
    long wanted = args.Length > 2 ? long.Parse(args[2], CultureInfo.InvariantCulture) << 20 : stream.Length;
    byte[] data = new byte[Math.Min(wanted, Math.Min(stream.Length, Array.MaxLength))];
    stream.ReadExactly(data);
    CodecChoiceReport.Write(data, args.Length > 3 ? int.Parse(args[3], System.Globalization.CultureInfo.InvariantCulture) : 0, Console.Out);
    return;
}

// The two ends of tools/bench/tail: -- tail-source ADDRESS PORT IMAGE, -- tail-destination ADDRESS PORT FOLDER BYTES WARM SECONDS PAUSE
if (args is ["tail-source", string to, string port, string image])
{
    await TailBench.ServeAsync(to, int.Parse(port, CultureInfo.InvariantCulture), image);
    return;
}

if (args is ["tail-destination", string at, string listen, string folder, string bytes, string warm, string seconds, string pause])
{
    await TailBench.FetchAsync(
        at,
        int.Parse(listen, CultureInfo.InvariantCulture),
        folder,
        long.Parse(bytes, CultureInfo.InvariantCulture),
        double.Parse(warm, CultureInfo.InvariantCulture),
        double.Parse(seconds, CultureInfo.InvariantCulture),
        double.Parse(pause, CultureInfo.InvariantCulture));
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
