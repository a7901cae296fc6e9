using BenchmarkDotNet.Running;

// dotnet run -c Release --project tools/bench/DiskSync.Bench -- --filter '*' --job short
// Whole processes beside their peers (b3sum, scp, rsync) are timed by the scripts in tools/bench.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
