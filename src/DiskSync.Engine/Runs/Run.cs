using System.Globalization;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;

namespace DiskSync.Engine.Runs;

/// <summary>This process's entry in the <see cref="RunRegistry"/>; as a progress sink it keeps the entry up to date.</summary>
/// <remarks>Thread safe. Failing to write the entry never fails the run.</remarks>
public sealed class Run : IProgressSink, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly string _path;
    private readonly string _limitPath;
    private readonly RateLimiter? _limit;
    private readonly Timer _timer;
    private readonly Lock _lock = new();
    private readonly IProgressSink _next;
    private RunRecord _record;
    private bool _disposed;

    internal Run(string folder, RateLimiter? limit, RunRecord record, IProgressSink? next = null)
    {
        _path = Path.Join(folder, record.Id + ".json");
        _limitPath = Path.Join(folder, record.Id + ".limit");
        _limit = limit;
        _record = record;
        _next = next ?? NoProgress.Instance;
        Write();
        _timer = new Timer(_ => Tick(), null, Interval, Interval);
    }

    /// <summary>The run's name, which <c>disksync abort</c> takes.</summary>
    public string Id => _record.Id;

    /// <inheritdoc/>
    public void Report(CopyProgress progress)
    {
        lock (_lock)
        {
            _record = _record with
            {
                Phase = progress.Phase.ToString(),
                Round = progress.Round,
                BytesDone = progress.BytesDone,
                BytesTotal = progress.BytesTotal,
                SentBytes = progress.SentBytes,
            };
        }

        _next.Report(progress);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            _disposed = true;
            TryDelete(_path);
            TryDelete(_limitPath);
        }
    }

    private void Tick()
    {
        try
        {
            if (_limit is not null && File.Exists(_limitPath)
                && long.TryParse(File.ReadAllText(_limitPath), NumberStyles.None, CultureInfo.InvariantCulture, out long limit)
                && limit != _limit.BytesPerSecond)
            {
                _limit.BytesPerSecond = limit;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Read again in a second.
        }

        Write();
    }

    private void Write()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            try
            {
                RunRecord record = _record with { LimitBytesPerSecond = _limit?.BytesPerSecond ?? 0 };
                File.WriteAllBytes(_path + ".new", RunRecordWriter.ToUtf8(record));
                File.Move(_path + ".new", _path, overwrite: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A full state folder must not end a copy.
            }
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // `disksync clean` finds it.
        }
    }
}
