using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Tail;
using DiskSync.Formats.Presence;

namespace DiskSync.TestSupport.PowerCuts;

/// <summary>An image with an on-demand tail on a <see cref="SimulatedMedium"/>, its guest, and everything that may happen to them.</summary>
/// <remarks>
/// Each sector holds a number, and of each it is known which numbers it may hold: the one that a flush made durable, those that
/// were written since, and after an answer and without a power cut only the last. Everything follows from the seed
/// and the calls. Not thread safe.
/// </remarks>
public sealed class TailWorld : IDisposable
{
    private const int Sector = 512;
    private const long CompactAfter = 60;
    private readonly Random _random;
    private readonly SimulatedMedium _medium;
    private readonly SimulatedImage _image;
    private readonly SimulatedFile _notes;
    private readonly SimulatedJournalPlace _place;
    private readonly MemoryTailSource _source;
    private readonly int _unit;

    // What a sector may hold, the durable first; and what it holds, where that is known.
    private readonly List<long>[] _maybe;
    private readonly long?[] _now;
    private Guid _boot = Guid.NewGuid();
    private long _next = 1;
    private bool _cutWhenStopped;
    private PresenceMap? _map;
    private TailDevice? _device;

    /// <summary>Makes a world.</summary>
    /// <param name="seed">What all chances follow from.</param>
    /// <param name="takenOut">A flush to take out, to see that this is noticed.</param>
    public TailWorld(int seed, FlushPoint takenOut = FlushPoint.None)
    {
        _random = new Random(seed);
        int sectors = _random.Next(1, 8 * 150);
        _unit = 4096 << _random.Next(4);
        _maybe = new List<long>[sectors];
        _now = new long?[sectors];
        byte[] source = new byte[sectors * Sector];
        for (int i = 0; i < sectors; i++)
        {
            // Stretches of zeros, too.
            long value = i / 24 % 3 == 1 ? 0 : _next++;
            Fill(source.AsSpan(i * Sector, Sector), value);
            _maybe[i] = [value];
            _now[i] = value;
        }

        _source = new MemoryTailSource(source);
        _medium = new SimulatedMedium(seed) { Phase = FlushPoint.Claim, TakenOut = takenOut };
        _image = _medium.CreateImage("image", source.Length);
        _notes = _medium.CreateStateFile("notes");
        _place = new SimulatedJournalPlace(_medium);
        PresenceHeader header = new(source.Length, Guid.NewGuid(), Guid.NewGuid(), 2, Hash256.Unknown, 0);
        List<PresenceRange> present = [];
        using SimulatedDevice image = _image.Open();
        for (long part = 0; part < header.PartCount; part++)
        {
            int at = (int)part * PresenceHeader.PartSize;
            int length = Math.Min(PresenceHeader.PartSize, source.Length - at);
            if (_random.Next(4) == 0)
            {
                image.Write(at, source.AsSpan(at, length));
                present.Add(new PresenceRange(part, 1));
            }
            else
            {
                byte[] old = new byte[length];
                _random.NextBytes(old);
                image.Write(at, old);
            }
        }

        _image.Flush();
        PresenceMap.Create(_place, _notes.Open(), header, present, _boot, CompactAfter).Dispose();
        Open();
    }

    /// <summary>Power cuts there were.</summary>
    public long PowerCuts { get; private set; }

    /// <summary>Kills there were.</summary>
    public long Kills { get; private set; }

    /// <summary>Operations that failed.</summary>
    public long Failures { get; private set; }

    /// <summary>Flushes that were answered.</summary>
    public long Flushes { get; private set; }

    /// <summary>How often the map was written anew.</summary>
    public int Replacements => _place.Replacements;

    /// <summary>The guest writes.</summary>
    public void Write()
    {
        (int first, int count) = Range();
        byte[] data = new byte[count * Sector];
        long[] values = new long[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = _next++;
            Fill(data.AsSpan(i * Sector, Sector), values[i]);
        }

        Change(first, values, device => device.Write((long)first * Sector, data));
    }

    /// <summary>The guest zeroes.</summary>
    public void Zero()
    {
        (int first, int count) = Range();
        Change(first, new long[count], device => device.Zero((long)first * Sector, (long)count * Sector, _random.Next(2) == 0));
    }

    /// <summary>The guest reads.</summary>
    public void Read()
    {
        (int first, int count) = Range();
        Try(device => Check(device, first, count));
    }

    /// <summary>The guest flushes.</summary>
    public void Flush()
    {
        bool isDone = false;
        if (Try(device =>
        {
            device.Flush();
            isDone = true;
        }) && !isDone)
        {
            // Final: what it lost nobody knows, so the export is begun anew on what is on the medium.
            Stop(cut: true);
            return;
        }

        if (isDone)
        {
            Flushes++;
            for (int i = 0; i < _now.Length; i++)
            {
                if (_now[i] is { } value)
                {
                    _maybe[i].Clear();
                    _maybe[i].Add(value);
                }
            }
        }
    }

    /// <summary>Nothing happens for a moment.</summary>
    public void Settle()
    {
        bool isDone = false;
        if (Try(_ =>
        {
            _map!.Settle();
            isDone = true;
        }) && !isDone)
        {
            Stop(cut: true);
        }
    }

    /// <summary>Stops the machine some operations from now.</summary>
    public void StopAfter(int operations, bool cut)
    {
        _cutWhenStopped = cut;
        _medium.StopAfter(operations);
    }

    /// <summary>Lets an operation some operations from now fail.</summary>
    public void FailAfter(int operations) => _medium.FailAfter(operations);

    /// <summary>The machine stops now, and goes on.</summary>
    /// <param name="cut">Whether the power is cut; else the process is killed and nothing is lost.</param>
    public void Stop(bool cut)
    {
        _medium.Calm();
        if (cut)
        {
            PowerCuts++;
            _medium.PowerCut();
            _boot = Guid.NewGuid();
            for (int i = 0; i < _now.Length; i++)
            {
                _now[i] = _maybe[i].Count == 1 ? _maybe[i][0] : null;
            }
        }
        else
        {
            Kills++;
        }

        Open();
        if (cut)
        {
            Check(_device!, 0, _now.Length);
            for (int i = 0; i < _now.Length; i++)
            {
                // What is there now has come through the cut.
                _maybe[i].Clear();
                _maybe[i].Add(_now[i]!.Value);
            }
        }
    }

    /// <summary>Until nothing is missing; and then it is durable.</summary>
    public void Finish()
    {
        _medium.Calm();
        Stop(_random.Next(2) == 0);
        Check(_device!, 0, _now.Length);
        _device!.Flush();
        Require(_device.IsWhole, "nothing is missing, and the map does not say so");
        for (int i = 0; i < _now.Length; i++)
        {
            _maybe[i].Clear();
            _maybe[i].Add(_now[i]!.Value);
        }

        _source.IsGone = true;
        Stop(cut: true);
        Require(_device!.IsWhole, "nothing was missing, and after a power cut something is");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _device?.Dispose();
        _map?.Dispose();
    }

    private void Open()
    {
        _device?.Dispose();
        try
        {
            _map = PresenceMap.Open(_place, _notes.Open(), "image", _image.Length, _boot, CompactAfter);
        }
        catch (DiskSyncException exception)
        {
            throw new PowerCutFailureException($"a stop alone damaged the map: {exception.Message}");
        }

        _device = new TailDevice(_image.Open(), _map, _source, hashes: null, new TailOptions { Unit = _unit });
    }

    private void Change(int first, long[] values, Action<TailDevice> change)
    {
        for (int i = 0; i < values.Length; i++)
        {
            _maybe[first + i].Add(values[i]);
            _now[first + i] = null;
        }

        // Where it fails, and where the machine stops in the middle of it, nobody knows which of its sectors are new.
        Try(device =>
        {
            change(device);
            for (int i = 0; i < values.Length; i++)
            {
                _now[first + i] = values[i];
            }
        });
    }

    /// <returns>False where the machine stopped meanwhile.</returns>
    private bool Try(Action<TailDevice> action)
    {
        try
        {
            action(_device!);
            return true;
        }
        catch (PowerCutException)
        {
            Stop(_cutWhenStopped);
            return false;
        }
        catch (DiskSyncException)
        {
            Failures++;
            return true;
        }
    }

    private void Check(TailDevice device, int first, int count)
    {
        byte[] content = new byte[count * Sector];
        device.Read((long)first * Sector, content);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> sector = content.AsSpan(i * Sector, Sector);
            long value = BinaryPrimitives.ReadInt64LittleEndian(sector);
            for (int at = 8; at < Sector; at += 8)
            {
                Require(BinaryPrimitives.ReadInt64LittleEndian(sector[at..]) == value, $"sector {first + i} holds what nobody wrote");
            }

            int number = first + i;
            Require(
                _now[number] is { } now ? now == value : _maybe[number].Contains(value),
                $"sector {number} holds {value}, and not {_now[number]} ({string.Join(", ", _maybe[number])})");
            _now[number] = value;
        }
    }

    private (int First, int Count) Range()
    {
        int first = _random.Next(_now.Length);
        int count = _random.Next(1, _random.Next(3) == 0 ? 100 : 12);

        // Whole parts, now and then, as guests mostly write.
        if (_random.Next(2) == 0)
        {
            first = first / 8 * 8;
            count = (count + 7) / 8 * 8;
        }

        return (first, Math.Min(count, _now.Length - first));
    }

    private static void Fill(Span<byte> sector, long value)
    {
        for (int at = 0; at < Sector; at += 8)
        {
            BinaryPrimitives.WriteInt64LittleEndian(sector[at..], value);
        }
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new PowerCutFailureException(otherwise);
        }
    }
}
