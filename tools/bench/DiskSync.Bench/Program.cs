using BenchmarkDotNet.Running;
using DiskSync.Bench.CodecChoice;

// dotnet run -c Release --project tools/bench/DiskSync.Bench -- --filter '*' --job short
// dotnet run -c Release --project tools/bench/DiskSync.Bench -- codecs FILE [MIB [COPIED-MIB]]: the choice of the codec, over links of many rates
// Whole processes beside their peers (b3sum, scp, rsync) are timed by the scripts in tools/bench.
if (args is ["codecs", string file, ..])
{
    using FileStream stream = File.OpenRead(file);
    long wanted = args.Length > 2 ? long.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) << 20 : stream.Length;
    byte[] data = new byte[Math.Min(wanted, Math.Min(stream.Length, Array.MaxLength))];
    stream.ReadExactly(data);
    CodecChoiceReport.Write(data, args.Length > 3 ? int.Parse(args[3], System.Globalization.CultureInfo.InvariantCulture) : 0, Console.Out);
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
