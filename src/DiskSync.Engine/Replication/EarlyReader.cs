using DiskSync.Engine.Journal;
using Microsoft.Extensions.Logging;

namespace DiskSync.Engine.Replication;

/// <summary>Has a target read back what is durable while the copy is still running, whenever nothing is waiting to be written.</summary>
/// <remarks>
/// The proof at the end, for which a guest may be paused, then has little left to read. It costs nothing that the proof
/// would not cost, except where blocks are written again later. A thread of its own; disposing waits for the stretch that
/// is being read. The store stays its owner's. Thread safe.
/// </remarks>
public sealed class EarlyReader : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);
    private readonly TargetStore _store;
    private readonly Func<bool> _isBusy;
    private readonly ILogger _logger;
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Thread _thread;
    private volatile bool _stop;

    /// <summary>Starts, and waits for the first checkpoint.</summary>
    /// <param name="store">The target.</param>
    /// <param name="isBusy">Whether something is being written at this moment, or must be left alone; asked every millisecond or so.</param>
    /// <param name="logger">Where it is told why no more is read.</param>
    public EarlyReader(TargetStore store, Func<bool> isBusy, ILogger logger)
    {
        _store = store;
        _isBusy = isBusy;
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = "read back early" };
        _thread.Start();
    }

    /// <summary>A checkpoint has made something durable.</summary>
    public void Wake() => _wake.Set();

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!_stop)
            {
                if (_isBusy())
                {
                    Thread.Sleep(Pause);
                }
                else if (!_store.ReadBackEarly())
                {
                    _wake.WaitOne();
                }
            }
        }
        catch (DiskSyncException exception)
        {
            // Its map's file failed. Everything is read back at the end, and whoever uses the map next says what is wrong.
            ReceiverLog.EarlyReadFailed(_logger, exception.Message);
        }
    }
}
