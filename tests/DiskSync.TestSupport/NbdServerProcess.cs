using System.Collections.Concurrent;
using System.Diagnostics;

namespace DiskSync.TestSupport;

/// <summary>Somebody else's NBD server, nbdkit or qemu-nbd, on a Unix socket or TCP, for as long as a test runs.</summary>
public sealed class NbdServerProcess : IDisposable
{
    private const int SigKill = 9;
    private const int SigStop = 19;
    private const int SigContinue = 18;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // nbdkit asks the kernel to be ended with its parent, which is the thread that started it: one that lasts has to.
    private static readonly BlockingCollection<Action> Starts = NewStarter();

    private readonly TempFolder _folder = new();
    private readonly Process _process;
    private readonly List<string> _said = [];

    private NbdServerProcess(string package, string program, Func<NbdServerProcess, string[]> arguments)
    {
        _process = Start(() => Tool.Start(package, program, arguments(this)));
        _process.StandardInput.Close();
        _process.OutputDataReceived += Hear;
        _process.ErrorDataReceived += Hear;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        // Both write it when they listen. A connection to find out would be one that they count.
        if (!SpinWait.SpinUntil(() => new FileInfo(PidFile) is { Exists: true, Length: > 0 } || _process.HasExited, Patience) || _process.HasExited)
        {
            string said = Said;
            Dispose();
            throw new InvalidOperationException($"{program} does not serve: {said}");
        }
    }

    /// <summary>Its Unix socket, where it has one.</summary>
    public string Socket => _folder.File("socket");

    /// <summary>Where its default export is.</summary>
    public string Uri => UriOf(string.Empty);

    /// <summary>What it has written so far.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return string.Join('\n', _said);
            }
        }
    }

    private string PidFile => _folder.File("pid");

    /// <summary>nbdkit on a Unix socket.</summary>
    /// <param name="arguments">Filters, plugin and their parameters.</param>
    public static NbdServerProcess Nbdkit(params string[] arguments) =>
        new("nbdkit", "nbdkit", server => ["--foreground", "--unix", server.Socket, "--pidfile", server.PidFile, .. arguments]);

    /// <summary>nbdkit on a port of this host.</summary>
    /// <param name="port">The port.</param>
    /// <param name="arguments">Filters, plugin and their parameters.</param>
    public static NbdServerProcess NbdkitOnTcp(int port, params string[] arguments) =>
        new("nbdkit", "nbdkit", server => ["--foreground", "--ipaddr", "127.0.0.1", "--port", $"{port}", "--pidfile", server.PidFile, .. arguments]);

    /// <summary>qemu-nbd on a Unix socket.</summary>
    /// <param name="arguments">The image and how to serve it.</param>
    public static NbdServerProcess QemuNbd(params string[] arguments) =>
        new("qemu-utils", "qemu-nbd", server => ["--persistent", "--socket", server.Socket, "--pid-file", server.PidFile, .. arguments]);

    /// <summary>qemu-nbd on a port of this host.</summary>
    /// <param name="port">The port.</param>
    /// <param name="arguments">The image and how to serve it.</param>
    public static NbdServerProcess QemuNbdOnTcp(int port, params string[] arguments) =>
        new("qemu-utils", "qemu-nbd", server => ["--persistent", "--bind", "127.0.0.1", "--port", $"{port}", "--pid-file", server.PidFile, .. arguments]);

    /// <summary>Where an export of it on the Unix socket is.</summary>
    public string UriOf(string name) => $"nbd+unix:///{name}?socket={Socket}";

    /// <summary>Ends it without a word.</summary>
    public void Kill()
    {
        Signal(SigKill);
        _process.WaitForExit();
    }

    /// <summary>Ends it in order, so that all it holds back is written.</summary>
    public void Stop()
    {
        Signal(15);
        if (!_process.WaitForExit(Patience))
        {
            throw new InvalidOperationException($"the server does not end: {Said}");
        }
    }

    /// <summary>Stops its doing anything; its connections stay.</summary>
    public void Freeze() => Signal(SigStop);

    /// <summary>Lets it go on.</summary>
    public void Thaw() => Signal(SigContinue);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
        _folder.Dispose();
    }

    private static Process Start(Func<Process> start)
    {
        TaskCompletionSource<Process> started = new();
        Starts.Add(() =>
        {
            try
            {
                started.SetResult(start());
            }
            catch (Exception exception)
            {
                started.SetException(exception);
            }
        });
        return started.Task.GetAwaiter().GetResult();
    }

    private static BlockingCollection<Action> NewStarter()
    {
        BlockingCollection<Action> starts = [];
        Thread thread = new(() => Run(starts)) { IsBackground = true, Name = "starts servers" };
        thread.Start();
        return starts;
    }

    private static void Run(BlockingCollection<Action> starts)
    {
        foreach (Action start in starts.GetConsumingEnumerable())
        {
            start();
        }
    }

    private void Signal(int signal) => Tool.Run("procps", "kill", $"-{signal}", $"{_process.Id}");

    private void Hear(object sender, DataReceivedEventArgs line)
    {
        lock (_said)
        {
            _said.Add(line.Data ?? string.Empty);
        }
    }
}
