using System.Buffers.Binary;
using DiskSync.Nbd.Client;

namespace DiskSync.Interop.Tests;

/// <summary>A machine that writes to its disk all the time, remembers what it was told is written, and is paused, moved and resumed by hook commands.</summary>
/// <remarks>
/// Each write has a number of its own, and one that was not answered is written again until it is, wherever the machine runs by then, as
/// a guest's does whose disk has reconnected: so at the end every block holds exactly the last number that was answered.
/// </remarks>
internal sealed class MovingGuest : IAsyncDisposable
{
    private const int BlockBytes = 4096;
    private const int BlocksApart = 8;
    private const int FlushEvery = 16;
    private readonly string _folder;
    private readonly string _near;
    private readonly string _far;
    private readonly long[] _answered;
    private readonly Random _dice;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private NbdClient? _disk;
    private bool _diskIsFar;
    private long _number;
    private long _probes;

    /// <summary>Switches the machine on.</summary>
    /// <param name="folder">Where its hooks leave their marks.</param>
    /// <param name="near">The socket of its disk at the source.</param>
    /// <param name="far">The same at the destination.</param>
    /// <param name="length">The disk's length in bytes.</param>
    /// <param name="seed">Where it writes.</param>
    public MovingGuest(string folder, string near, string far, long length, int seed)
    {
        _folder = folder;
        _near = near;
        _far = far;
        _answered = new long[length / BlockBytes / BlocksApart];
        _dice = new Random(seed);
        _running = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>The pause command: returns when the machine stands still.</summary>
    public string PauseCommand => $"touch {Mark("pause")}; while ! test -e {Mark("paused")}; do sleep 0.02; done";

    /// <summary>The unpause command.</summary>
    public string UnpauseCommand => $"rm -f {Mark("pause")}";

    /// <summary>The resume command at the destination.</summary>
    public string ResumeCommand => $"touch {Mark("there")}";

    /// <summary>Whether it was paused.</summary>
    public bool IsPaused => File.Exists(Mark("paused"));

    /// <summary>Whether it was resumed at the destination.</summary>
    public bool IsThere => File.Exists(Mark("there"));

    /// <summary>How many writes were answered.</summary>
    public long Writes => Interlocked.Read(ref _number);

    /// <summary>Switches it off, once its last write was answered.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _disk?.Dispose();
        _stop.Dispose();
    }

    /// <summary>Requires that a disk, which nobody writes any more, holds all that was answered.</summary>
    public void AssertHolds(string image)
    {
        using FileStream file = File.OpenRead(image);
        byte[] block = new byte[BlockBytes];
        for (int i = 0; i < _answered.Length; i++)
        {
            file.Position = OffsetOf(i);
            file.ReadExactly(block);
            if (_answered[i] > 0)
            {
                byte[] expected = Content(i, _answered[i]);
                Assert.True(
                    block.AsSpan().SequenceEqual(expected),
                    $"the block at offset {OffsetOf(i)} of {image} holds number {BinaryPrimitives.ReadInt64LittleEndian(block)}, and {_answered[i]} was answered");
            }
        }
    }

    private static long OffsetOf(int block) => (long)block * BlocksApart * BlockBytes;

    private static byte[] Content(int block, long number)
    {
        byte[] content = new byte[BlockBytes];
        for (int at = 0; at < content.Length; at += 16)
        {
            BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(at), number);
            BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(at + 8), block);
        }

        return content;
    }

    private string Mark(string name) => Path.Join(_folder, name);

    private void Run()
    {
        while (!_stop.IsCancellationRequested)
        {
            // Some blocks are written all the time, as logs and superblocks are.
            int block = _dice.Next(3) == 0 ? _dice.Next(16) : _dice.Next(_answered.Length);
            long number = Writes + 1;
            byte[] content = Content(block, number);
            while (!TryDo(disk => disk.Write(OffsetOf(block), content)))
            {
                // It is written again, here or there.
                Thread.Sleep(20);
            }

            _answered[block] = number;
            Interlocked.Exchange(ref _number, number);
            if (number % FlushEvery == 0)
            {
                _ = TryDo(disk => disk.Flush());
                Probe();
                Thread.Sleep(2);
            }
        }
    }

    /// <summary>Once it runs there, nothing here may be written any more, whoever tries.</summary>
    private void Probe()
    {
        if (!IsThere || _probes++ % 16 != 0)
        {
            return;
        }

        try
        {
            using NbdClient late = Connect(_near);
            late.Write(OffsetOf(0) + BlockBytes, new byte[512]);
        }
        catch (Exception exception) when (exception is NbdConnectionException or NbdServerException or NbdRefusedException or IOException)
        {
            return;
        }

        throw new InvalidOperationException("the source's export took a write after the machine had been resumed at the destination");
    }

    private bool TryDo(Action<NbdClient> action)
    {
        WaitWhilePaused();
        try
        {
            action(Disk());
            return true;
        }
        catch (Exception exception) when (exception is NbdConnectionException or NbdServerException or NbdRefusedException or IOException)
        {
            _disk?.Dispose();
            _disk = null;
            return false;
        }
    }

    private void WaitWhilePaused()
    {
        while (File.Exists(Mark("pause")) && !IsThere)
        {
            File.WriteAllBytes(Mark("paused"), []);
            Thread.Sleep(5);
        }

        File.Delete(Mark("paused"));
    }

    private NbdClient Disk()
    {
        if (_disk is not null && _diskIsFar != IsThere)
        {
            _disk.Dispose();
            _disk = null;
        }

        _diskIsFar = IsThere;
        return _disk ??= Connect(_diskIsFar ? _far : _near);
    }

    // A write may be held for as long as nobody knows who owns the image.
    private static NbdClient Connect(string socket) => NbdClient.Connect(
        NbdDialer.For(NbdUri.Parse($"nbd+unix:///?socket={socket}")),
        new NbdClientOptions { ReplyLimit = TimeSpan.FromSeconds(5), FlushLimit = TimeSpan.FromSeconds(5), NegotiationLimit = TimeSpan.FromSeconds(5) });
}
