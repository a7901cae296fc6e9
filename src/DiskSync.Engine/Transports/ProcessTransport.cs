using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Text;

namespace DiskSync.Engine.Transports;

/// <summary>A transport over the standard input and output of a child process: ssh, or a receiver started directly.</summary>
/// <remarks>
/// The child's standard error is passed on line by line (ssh asks for host keys on the terminal itself, not there)
/// and its end is kept for <see cref="DiagnoseAsync"/>. Dispose closes the child's input, waits a short time and
/// ends the child if it stays.
/// </remarks>
public sealed class ProcessTransport : ITransport
{
    private const int KeptErrorLines = 20;

    /// <summary>What a POSIX shell, and so ssh, ends with where it does not find the program.</summary>
    private const int NotFound = 127;
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly StreamTransport _streams;
    private readonly Queue<string> _errorLines = new();
    private readonly Task _errorPump;

    private ProcessTransport(Process process, string peer, Action<string>? onErrorLine)
    {
        _process = process;
        _streams = new StreamTransport(process.StandardOutput.BaseStream, process.StandardInput.BaseStream, peer);
        _errorPump = PumpErrorsAsync(onErrorLine);
    }

    /// <inheritdoc/>
    public PipeReader Input => _streams.Input;

    /// <inheritdoc/>
    public PipeWriter Output => _streams.Output;

    /// <inheritdoc/>
    public string Peer => _streams.Peer;

    /// <summary>Long, because ssh may be asking its user for a passphrase.</summary>
    public TimeSpan HandshakeTimeout => TimeSpan.FromMinutes(5);

    /// <summary>Starts a child process.</summary>
    /// <param name="command">The program and its arguments; no shell is involved.</param>
    /// <param name="peer">The peer, for messages.</param>
    /// <param name="onErrorLine">Called with each line of the child's standard error, from another thread.</param>
    /// <exception cref="TransportLostException">The program could not be started.</exception>
    public static ProcessTransport Start(IReadOnlyList<string> command, string peer, Action<string>? onErrorLine = null)
    {
        ProcessStartInfo start = new(command[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (string argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            Process process = Process.Start(start)
                ?? throw new InvalidOperationException("no process was started");
            return new ProcessTransport(process, peer, onErrorLine);
        }
        catch (Exception exception) when (exception is Win32Exception or InvalidOperationException)
        {
            throw new TransportLostException(
                $"cannot start '{command[0]}' to reach {peer}: {exception.Message}",
                "Install it, or name another program with --rsh.",
                exception);
        }
    }

    /// <inheritdoc/>
    /// <remarks>The child is not killed here: a receiver that finds its input closed makes durable what has arrived.</remarks>
    public void Abort() => _streams.Abort();

    /// <inheritdoc/>
    public async Task<string> DiagnoseAsync()
    {
        if (!await WaitForExitAsync())
        {
            return string.Empty;
        }

        string words;
        lock (_errorLines)
        {
            words = string.Join("; ", _errorLines);
        }

        return $"{Path.GetFileName(_process.StartInfo.FileName)} ended with exit code {_process.ExitCode}"
            + (words.Length > 0 ? $": {words}" : string.Empty)
            + (_process.ExitCode == NotFound ? "; --remote-path says where disksync is on the other side" : string.Empty);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _streams.DisposeAsync();
        if (!await WaitForExitAsync())
        {
            Kill();
        }

        _process.Dispose();
    }

    private async Task<bool> WaitForExitAsync()
    {
        // The child's last words usually arrive a moment after its output has ended.
        using CancellationTokenSource patience = new(ExitPatience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
            await _errorPump.WaitAsync(patience.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            // It has ended by itself.
        }
    }

    private async Task PumpErrorsAsync(Action<string>? onErrorLine)
    {
        using StreamReader reader = new(_process.StandardError.BaseStream, new UTF8Encoding(false));
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_errorLines)
            {
                _errorLines.Enqueue(line);
                if (_errorLines.Count > KeptErrorLines)
                {
                    _errorLines.Dequeue();
                }
            }

            onErrorLine?.Invoke(line);
        }
    }
}
