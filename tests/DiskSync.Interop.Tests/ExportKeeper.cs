using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>What a service manager does: starts an export again whenever it has ended.</summary>
/// <remarks>Disposing ends it for good.</remarks>
internal sealed class ExportKeeper : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private readonly string[] _arguments;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Task _keeping;
    private DisksyncProcess? _running;

    /// <summary>Starts it.</summary>
    public ExportKeeper(params string[] arguments)
    {
        _arguments = arguments;
        _keeping = KeepAsync();
    }

    /// <summary>What the export that ended last had to say.</summary>
    public string LastWords { get; private set; } = string.Empty;

    /// <summary>Sends a signal to the one that runs, if any.</summary>
    public void Signal(int signal)
    {
        lock (_lock)
        {
            _running?.Signal(signal);
        }
    }

    /// <summary>Ends it for good, in order.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        Signal(15);
        await _keeping;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task KeepAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            DisksyncProcess process;
            lock (_lock)
            {
                _running = process = DisksyncProcess.Start(_arguments);
            }

            if (_stop.IsCancellationRequested)
            {
                process.Signal(15);
            }

            await process.Process.WaitForExitAsync();
            lock (_lock)
            {
                _running = null;
            }

            LastWords = (await process.WaitAsync()).ToString();
            process.Dispose();
            if (!_stop.IsCancellationRequested)
            {
                await Task.Delay(Pause);
            }
        }
    }
}
