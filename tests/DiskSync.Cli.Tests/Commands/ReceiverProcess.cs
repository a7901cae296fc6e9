using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>A real <c>disksync receive --listen</c>, ready to be connected to; ended with <see cref="Dispose"/>.</summary>
internal sealed class ReceiverProcess : IDisposable
{
    private readonly DisksyncProcess _process;

    private ReceiverProcess(DisksyncProcess process, string socket)
    {
        _process = process;
        Socket = socket;
    }

    /// <summary>The socket's path.</summary>
    public string Socket { get; }

    /// <summary>Starts one and waits until it listens.</summary>
    public static async Task<ReceiverProcess> StartAsync(string socket, string root)
    {
        DisksyncProcess process = DisksyncProcess.Start(["receive", "--listen", $"unix:{socket}", "--root", root]);
        try
        {
            await ImageFiles.UntilAsync(() => File.Exists(socket));
            return new ReceiverProcess(process, socket);
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    /// <summary>The destination that names something below its root.</summary>
    public string Name(string name) => $"unix:{Socket}:{name}";

    public void Dispose() => _process.Dispose();
}
