using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests.Wanem;

/// <summary>tools/wanem/run with real packets; ping is the judge. How exact it is, tools/wanem/check measures.</summary>
public sealed partial class WanemPathTests
{
    private const int Packets = 3000;

    private static readonly string RunScript = FindRunScript();

    [Theory]
    [InlineData("$WANEM_B4")]
    [InlineData("$WANEM_B6")]
    public void Packets_arrive_after_the_delay_and_never_before(string address)
    {
        string output = Run("--delay 40ms", $"ip netns exec $WANEM_A ping -q -c 20 -i 0.02 -W 60 {address}");
        Match times = Times().Match(output);
        Assert.True(times.Success, output);
        double least = double.Parse(times.Groups[1].Value, CultureInfo.InvariantCulture);

        // Never less, whatever the machine does. How much more is the machine's: one packet of twenty gets through
        // without waiting for the processor half as long as the delay.
        Assert.InRange(least, 80, 120);
    }

    [Theory]
    [InlineData("$WANEM_B4", 0.1)]
    [InlineData("$WANEM_B6", 0.02)]
    public void As_many_packets_are_lost_as_asked_for(string address, double loss)
    {
        string output = Run(
            $"--a-to-b --loss {loss.ToString(CultureInfo.InvariantCulture)} --seed 5",
            $"ip netns exec $WANEM_A ping -q -c {Packets} -i 0.001 -W 3 {address} || true");
        int received = int.Parse(Received().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
        double sigma = Math.Sqrt(loss * (1 - loss) * Packets);
        Assert.InRange(Packets - received, (loss * Packets) - (5 * sigma), (loss * Packets) + (5 * sigma));
    }

    [Fact]
    public async Task A_large_transfer_arrives_whole_over_a_path_that_loses_and_reorders()
    {
        const string Options = "--delay 2ms --jitter 1ms --loss 1% --reorder 2% --rate 200mbit";
        using Process run = Tool.Start(
            "bash", "bash", [RunScript, .. Options.Split(' '), "--", "sh", "-c", "echo names $WANEM_A $WANEM_B; exec cat >/dev/null"]);
        Task<string> error = run.StandardError.ReadToEndAsync();
        Match names = Names().Match(await run.StandardOutput.ReadLineAsync() ?? string.Empty);
        Assert.True(names.Success, "no path: see tools/wanem/run");

        byte[] sent = RandomNumberGenerator.GetBytes(8 << 20);
        using TcpListener listener = NetworkNamespace.Run(names.Groups[2].Value, () =>
        {
            TcpListener there = new(IPAddress.Parse("fd77::2"), 0);
            there.Start();
            return there;
        });
        using Socket client = NetworkNamespace.Run(
            names.Groups[1].Value, () => new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp));
        Task sending = Task.Run(async () =>
        {
            await client.ConnectAsync(listener.LocalEndpoint);
            await using NetworkStream stream = new(client);
            await stream.WriteAsync(sent);
            client.Shutdown(SocketShutdown.Send);
        });
        using TcpClient accepted = await listener.AcceptTcpClientAsync();
        using MemoryStream received = new();
        await accepted.GetStream().CopyToAsync(received);
        await sending;
        Assert.True(sent.AsSpan().SequenceEqual(received.ToArray()), $"{received.Length} bytes arrived, not those sent");

        run.StandardInput.Close();
        await run.WaitForExitAsync();
        Assert.Matches("a to b: .*, [1-9][0-9]* lost, .*, [1-9][0-9]* held back", await error);
    }

    [Fact]
    public void At_the_end_what_ran_inside_is_ended_and_the_namespaces_are_gone()
    {
        string output = Run("--delay 1ms", "echo names $WANEM_A $WANEM_B; ip netns exec $WANEM_A sleep 1000 >/dev/null 2>&1 & echo child $!");
        string[] names = [.. Names().Match(output).Groups.Values.Skip(1).Select(g => g.Value)];
        string left = Tool.Run("iproute2", "ip", "netns", "list");
        Assert.All(names, name => Assert.DoesNotContain(name, left, StringComparison.Ordinal));

        // Whoever is its parent now may not have looked yet: a process that has ended has no command line.
        string commandLine = $"/proc/{Child().Match(output).Groups[1].Value}/cmdline";
        Assert.True(!File.Exists(commandLine) || File.ReadAllText(commandLine).Length == 0);
    }

    [Fact]
    public void The_exit_code_is_the_commands()
    {
        Assert.Equal(7, Tool.TryRun("bash", "bash", RunScript, "--", "sh", "-c", "exit 7").Code);
        (int code, _, string error) = Tool.TryRun("bash", "bash", RunScript, "--loss", "200%", "--", "true");
        Assert.Equal(1, code);
        Assert.Contains("'--loss 200%' is not understood", error, StringComparison.Ordinal);
    }

    private static string Run(string options, string script)
    {
        (int code, string output, string error) =
            Tool.TryRun("bash", "bash", [RunScript, .. options.Split(' '), "--", "bash", "-ec", script]);
        Assert.True(code == 0, $"{code}: {output}\n{error}");
        return output + "\n" + error;
    }

    private static string FindRunScript()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string script = Path.Join(at.FullName, "tools", "wanem", "run");
            if (File.Exists(script))
            {
                return script;
            }
        }

        throw new FileNotFoundException("tools/wanem/run is not above the tests");
    }

    [GeneratedRegex(@"rtt min/avg/max/mdev = (?<value>[0-9.]+)/", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Times();

    [GeneratedRegex(@"transmitted, (?<value>[0-9]+) received", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Received();

    [GeneratedRegex(@"names (?<first>\S+) (?<second>\S+)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Names();

    [GeneratedRegex(@"child (?<value>\d+)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Child();
}
