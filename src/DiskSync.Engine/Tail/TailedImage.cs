using System.Net.Sockets;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.ExportControl;
using DiskSync.Formats.Presence;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Nbd.Client;

namespace DiskSync.Engine.Tail;

/// <summary>An image that this host owns and of which parts are still at its source, as an export serves it: what is touched is fetched first, the rest behind it, until the image is whole.</summary>
/// <remarks>
/// Thread safe. It fetches over connections that the source makes and the receiver brings (<see cref="Take"/>). When nothing is
/// missing any more it has that recorded, and lets the source go; from then on every call goes straight to the image. Owns what
/// it opens; the image and its map stay their opener's, and are needed until it is disposed.
/// </remarks>
public sealed class TailedImage : IDisposable
{
    private const int MostUnderWay = 1024;
    private readonly PresenceMap _map;
    private readonly WrittenCounter _written;
    private readonly ITailCompletion _completion;
    private readonly TailedImageOptions _options;
    private readonly NbdTailSource _source = new();
    private readonly TailHashes _hashes;
    private readonly string? _hashesPath;
    private readonly TailDevice _tail;
    private readonly TailPuller _puller;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _pulling;
    private string _trouble = string.Empty;

    /// <summary>Begins to fetch.</summary>
    /// <param name="image">The image; stays its opener's.</param>
    /// <param name="map">Which of its parts are there; stays its opener's.</param>
    /// <param name="written">Where it is kept how much was written; owned from now on.</param>
    /// <param name="geometry">How the source's hashes cut the image into blocks.</param>
    /// <param name="root">The root of the source's frozen image where the hand-over knew it; unknown otherwise.</param>
    /// <param name="hashesPath">Where the source's block map is kept; null for nowhere, and nothing is compared.</param>
    /// <param name="completion">Told when nothing is missing any more.</param>
    /// <param name="options">How.</param>
    public TailedImage(
        IBlockDevice image, PresenceMap map, IStateFile written, BlockGeometry geometry, Hash256 root, string? hashesPath, ITailCompletion completion, TailedImageOptions options)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(options);
        _map = map;
        _completion = completion;
        _options = options;
        _written = WrittenCounter.Open(written, map.Header.Attempt, options.Clock);
        _hashes = new TailHashes(geometry, root);
        _hashesPath = hashesPath;
        _tail = new TailDevice(image, map, _source, hashesPath is null ? null : _hashes, new TailOptions { FailMissing = options.FailMissing });
        _puller = new TailPuller(_tail, map, _source, options.Clock);
        Device = new WriteCountingDevice(_tail, _written);
        if (File.Exists(hashesPath))
        {
            LoadHashes();
        }

        _pulling = Task.Run(PullAsync);
    }

    /// <summary>The image, to be read and written as one that is whole.</summary>
    public IBlockDevice Device { get; }

    /// <summary>Whether what touches a missing part fails while there is no link, instead of waiting; may be changed at any time.</summary>
    public bool FailMissing
    {
        get => _tail.FailMissing;
        set => _tail.FailMissing = value;
    }

    /// <summary>Whether nothing is missing, durably.</summary>
    public bool IsWhole => _tail.IsWhole;

    /// <summary>How it stands.</summary>
    public TailState State() => new(
        (ulong)_puller.MissingBytes, (ulong)Device.Length, (ulong)_written.Bytes, _source.IsLinked, FailMissing, Volatile.Read(ref _trouble));

    /// <summary>Why a connection that a receiver brings is not taken; null where it is.</summary>
    public Refusal? Refuse(OfferTail offer)
    {
        ArgumentNullException.ThrowIfNull(offer);
        if (offer.Attempt != _map.Header.Attempt || offer.Epoch != _map.Header.Epoch)
        {
            return new Refusal(
                $"destination {Device.Name}: {offer.Source} serves what was handed over by attempt {offer.Attempt}, and this image came by {_map.Header.Attempt}",
                "Look at both hosts with 'disksync owner'.");
        }

        return IsWhole ? new Refusal($"destination {Device.Name}: nothing of it is missing", "Nothing has to be done.") : null;
    }

    /// <summary>Takes a connection over which the source serves its frozen image.</summary>
    /// <param name="use">What it is for.</param>
    /// <param name="socket">The connection, at the beginning of the NBD protocol; owned from now on.</param>
    public void Take(ServeUse use, Socket socket)
    {
        NbdClient? client = null;
        try
        {
            client = NbdClient.Connect(
                _ => new NetworkStream(socket, ownsSocket: true),
                new NbdClientOptions { StatusKinds = [], ReplyLimit = _options.ReplyLimit, InFlightRequests = MostUnderWay });
            if (use == ServeUse.Hashes)
            {
                TakeHashes(client);
                return;
            }

            if (client.Export.Length != Device.Length)
            {
                throw new IOException($"the source serves an image of {client.Export.Length} bytes, and this one has {Device.Length}");
            }

            _source.Take(client, isUrgent: use == ServeUse.Urgent);
        }
        catch (Exception exception) when (exception is NbdConnectionException or NbdRefusedException or NbdServerException or IOException or UnauthorizedAccessException)
        {
            client?.Dispose();
            socket.Dispose();
            Trouble(exception.Message);
        }
    }

    /// <summary>Whether it is known what the source's blocks hash to, so that all that is fetched is compared.</summary>
    public bool IsCompared => _hashes.IsKnown;

    /// <summary>Lets everybody go who waits for the link; what they asked for fails.</summary>
    public void EndWaiting() => _tail.Stop();

    /// <summary>Ends fetching; what was written stays in the image, noted but for a last flush.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _tail.Stop();
        _source.Dispose();
        _pulling.GetAwaiter().GetResult();
        if (!IsWhole)
        {
            try
            {
                Device.Flush();
                _map.Settle();
            }
            catch (DiskSyncException exception)
            {
                _options.Tell(exception.Message);
            }
        }

        _puller.Dispose();
        _tail.Dispose();
        _hashes.Dispose();
        _written.Dispose();
        _stop.Dispose();
    }

    private void TakeHashes(NbdClient client)
    {
        using (client)
        {
            if (_hashesPath is null)
            {
                return;
            }

            TailHashesDownload.Run(client, _hashes.Geometry, _hashesPath);
        }

        LoadHashes();
    }

    private void LoadHashes()
    {
        try
        {
            IReadOnlyList<long> wrong = _hashes.Load(_hashesPath!);
            if (wrong.Count > 0)
            {
                Trouble(
                    $"{wrong.Count} blocks that were fetched before the source had hashed them are not what it holds, the first at offset {_hashes.Geometry.OffsetOf(wrong[0])}: "
                    + "look at both hosts' memory and storage, and do not trust what the guest has read");
            }
        }
        catch (DiskSyncException exception)
        {
            Trouble(exception.Message);
        }
    }

    private async Task PullAsync()
    {
        try
        {
            await _puller.RunAsync(_stop.Token);
            while (!TryComplete())
            {
                await Task.Delay(_options.CompleteAgain, _options.Clock, _stop.Token);
            }

            // The source dials again, and is told that nothing is missing.
            _source.Dispose();
            _options.Tell($"{Device.Name} is whole: nothing of it is at its source any more");
        }
        catch (OperationCanceledException)
        {
            // The export ends; the next one goes on.
        }
        catch (DiskSyncException exception)
        {
            // Storage that fails: what is there is served, and what is touched still fetched, as far as that goes.
            Trouble($"nothing more is fetched ahead: {exception.Message}");
        }
    }

    private bool TryComplete()
    {
        try
        {
            return _completion.TryComplete();
        }
        catch (DiskSyncException exception)
        {
            Trouble($"{exception.Message.TrimEnd('.')}. {exception.Advice}");
            return false;
        }
    }

    private void Trouble(string why)
    {
        if (!string.Equals(Interlocked.Exchange(ref _trouble, why), why, StringComparison.Ordinal))
        {
            _options.Tell($"{Device.Name}: {why}");
        }
    }
}
