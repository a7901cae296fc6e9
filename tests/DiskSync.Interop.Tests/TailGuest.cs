using DiskSync.Nbd.Client;

namespace DiskSync.Interop.Tests;

/// <summary>A guest on a disk served by NBD that remembers what it was told is written, and connects again when its server has died.</summary>
/// <remarks>Of a write that was not answered a sector may hold what it held before, or what was to be written; nothing else, ever. One thread.</remarks>
internal sealed class TailGuest : IDisposable
{
    private const int Sector = 512;
    private readonly byte[] _content;
    private readonly Dictionary<int, byte[]> _unanswered = [];
    private readonly Random _random;
    private readonly string _socket;
    private NbdClient? _client;

    /// <summary>Begins.</summary>
    /// <param name="content">What the disk holds; changed with every write.</param>
    /// <param name="socket">Where it is served.</param>
    /// <param name="seed">For what it does.</param>
    public TailGuest(byte[] content, string socket, int seed)
    {
        _content = content;
        _socket = socket;
        _random = new Random(seed);
    }

    /// <summary>How many requests were answered.</summary>
    public int Answered { get; private set; }

    /// <summary>How often its server had gone.</summary>
    public int Lost { get; private set; }

    /// <summary>Reads, writes and flushes at random until it is told to stop.</summary>
    public void Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            int offset = _random.Next((_content.Length / Sector) - 128) * Sector;
            int length = _random.Next(1, 128) * Sector;
            try
            {
                Do(offset, length, _random.Next(10));
                Answered++;
            }
            catch (NbdConnectionException)
            {
                Lost++;
                _client?.Dispose();
                _client = null;
                Thread.Sleep(20);
            }
        }
    }

    /// <summary>Whether a disk holds what this guest was told.</summary>
    public void Check(byte[] disk)
    {
        Assert.Equal(_content.Length, disk.Length);
        for (int at = 0; at < disk.Length; at += Sector)
        {
            CheckSector(at, disk.AsSpan(at, Sector));
        }
    }

    public void Dispose() => _client?.Dispose();

    private void Do(int offset, int length, int what)
    {
        _client ??= NbdClient.Connect(
            NbdDialer.For(NbdUri.Parse($"nbd+unix:///?socket={_socket}")), new NbdClientOptions { ReplyLimit = TimeSpan.FromMinutes(2) });
        if (what == 0)
        {
            _client.Flush();
        }
        else if (what < 5)
        {
            byte[] data = new byte[length];
            _random.NextBytes(data);
            for (int at = 0; at < length; at += Sector)
            {
                // Of an older one that was not answered either, both may be there: it is read first.
                if (_unanswered.ContainsKey(offset + at))
                {
                    return;
                }
            }

            for (int at = 0; at < length; at += Sector)
            {
                _unanswered[offset + at] = data[at..(at + Sector)];
            }

            _client.Write(offset, data, fua: what == 1);
            data.CopyTo(_content, offset);
            for (int at = 0; at < length; at += Sector)
            {
                _unanswered.Remove(offset + at);
            }
        }
        else
        {
            byte[] read = new byte[length];
            _client.Read(offset, read);
            for (int at = 0; at < length; at += Sector)
            {
                CheckSector(offset + at, read.AsSpan(at, Sector));
            }
        }
    }

    private void CheckSector(int at, ReadOnlySpan<byte> found)
    {
        _unanswered.Remove(at, out byte[]? wanted);
        bool isNew = wanted is not null && found.SequenceEqual(wanted);
        if (isNew)
        {
            wanted!.CopyTo(_content, at);
        }

        Assert.True(isNew || found.SequenceEqual(_content.AsSpan(at, Sector)), $"the sector at {at} holds what nobody has written there");
    }
}
