using System.Runtime.InteropServices;
using DiskSync.Cli.Output;
using DiskSync.Engine;

namespace DiskSync.Cli.Running;

/// <summary>Turns Ctrl-C, SIGTERM and SIGHUP into a cancelled token; the second one ends the program at once.</summary>
/// <remarks>Ending at once is safe by design: whatever is half done is resumable, as after a power cut.</remarks>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly CommandOutput _output;
    private readonly PosixSignalRegistration[] _registrations;
    private int _seen;

    /// <summary>Starts to listen.</summary>
    public StopSignals(CommandOutput output)
    {
        _output = output;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal),
        ];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _seen) == 1)
        {
            if (context.Signal == PosixSignal.SIGINT)
            {
                _output.Note("stopping; press Ctrl-C again to stop at once");
            }

            _source.Cancel();
            return;
        }

        Environment.Exit((int)FailureKind.Interrupted);
    }
}
