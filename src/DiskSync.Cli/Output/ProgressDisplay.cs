using DiskSync.Engine.Progress;

namespace DiskSync.Cli.Output;

/// <summary>A sink that shows the latest snapshot on standard error, on a timer of its own.</summary>
/// <remarks>
/// Reporting costs one reference store. The first showing waits for <c>firstAfter</c>, so that a command that is done
/// by then shows nothing (and never loads what draws). Disposing stops the timer and takes the display away.
/// </remarks>
internal abstract class ProgressDisplay : IProgressSink, IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeSpan _firstAfter;
    private readonly TimeSpan _every;
    private CopyProgress? _latest;
    private CopyProgress? _shown;
    private RateMeter _rate = new();
    private Timer? _timer;
    private bool _disposed;

    /// <summary>Sets the timer's times.</summary>
    protected ProgressDisplay(TimeSpan firstAfter, TimeSpan every)
    {
        _firstAfter = firstAfter;
        _every = every;
    }

    /// <summary>The display for this output, or null where nothing is to be shown.</summary>
    public static ProgressDisplay? Create(CommandOutput output)
    {
        if (output.Quiet)
        {
            return null;
        }

        return output switch
        {
            { Json: true } => new JsonProgressDisplay(output),
            { ErrorIsTerminal: true } => new TerminalProgressDisplay(output),
            _ => new PlainProgressDisplay(output),
        };
    }

    /// <inheritdoc/>
    public void Report(CopyProgress progress)
    {
        Volatile.Write(ref _latest, progress);
        if (_timer is null)
        {
            Start();
        }
    }

    /// <summary>Writes a line above a live display.</summary>
    /// <returns>False where nothing is drawn, so that the caller writes it plainly.</returns>
    public virtual bool TryWriteAbove(string line) => false;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _timer?.Dispose();
        }

        End();
    }

    /// <summary>Shows a snapshot; called by one thread at a time.</summary>
    /// <param name="progress">The snapshot.</param>
    /// <param name="rate">Image bytes a second; 0 where not known yet.</param>
    /// <param name="secondsLeft">The forecast, or null.</param>
    /// <param name="newPhase">True where the phase or the round is another than at the last call.</param>
    protected abstract void Show(CopyProgress progress, double rate, double? secondsLeft, bool newPhase);

    /// <summary>Takes the display away; called once, after the last <see cref="Show"/>.</summary>
    protected virtual void End()
    {
    }

    private void Start()
    {
        lock (_gate)
        {
            if (_timer is null && !_disposed)
            {
                _timer = new Timer(_ => Tick(), null, _firstAfter, _every);
            }
        }
    }

    private void Tick()
    {
        // A tick that comes while the last one still draws is dropped, not queued.
        if (!_gate.TryEnter())
        {
            return;
        }

        try
        {
            CopyProgress? now = Volatile.Read(ref _latest);
            if (_disposed || now is null)
            {
                return;
            }

            bool newPhase = _shown is null || _shown.Phase != now.Phase || _shown.Round != now.Round
                || !string.Equals(_shown.Image, now.Image, StringComparison.Ordinal);
            if (newPhase && _shown is not null)
            {
                _rate = new RateMeter();
            }

            _rate.Update(now.BytesDone);
            _shown = now;
            double rate = now.BytesPerSecond > 0 ? now.BytesPerSecond : _rate.BytesPerSecond;
            double? left = now.BytesTotal > 0 && rate > 0 ? (now.BytesTotal - now.BytesDone) / rate : null;
            Show(now, rate, left, newPhase);
        }
        finally
        {
            _gate.Exit();
        }
    }
}
