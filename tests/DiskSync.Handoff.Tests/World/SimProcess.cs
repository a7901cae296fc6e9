using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Tests.World;

/// <summary>One DiskSync process on a simulated host: everything the state machines reach the world through.</summary>
public sealed class SimProcess : IOwnershipJournal, ISourceImages, IDestinationImages, ITailImages, IImageWitness, IOwnershipLocks, IHypervisor
{
    private readonly SimHost _host;
    private readonly int _generation;

    public SimProcess(SimHost host)
    {
        _host = host;
        _generation = host.Generation;
        Source = new SourceHandOver(this, this, this, this, this, TimeProvider.System);
        Destination = new DestinationHandOver(this, this, this, this, this, this, this, new HookCatalog([], allowCommands: true), TimeProvider.System);
    }

    public SourceHandOver Source { get; }

    public DestinationHandOver Destination { get; }

    public static Hash256 RootOf(long data)
    {
        Span<byte> bytes = stackalloc byte[32];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, data + 1);
        return new Hash256(bytes);
    }

    public void Step(string what) => _host.Step(_generation, what);

    public OwnershipView Read()
    {
        Step("read journal");
        return _host.View;
    }

    public void Reserve() => Step("reserve");

    public OwnershipView Append(Func<OwnershipView, IReadOnlyList<OwnershipEntry>> decide)
    {
        IReadOnlyList<OwnershipEntry> entries = decide(_host.View);
        if (entries.Count == 0)
        {
            return _host.View;
        }

        string what = string.Join('+', entries.Select(e => e.Kind).Distinct());
        Step($"before {what}");
        if (_host.World.JournalDoesNotFlush)
        {
            _host.Durable.AddRange(_host.Unsynced);
            _host.Unsynced.Clear();
            _host.Unsynced.AddRange(entries);
        }
        else
        {
            _host.Durable.AddRange(entries);
        }

        Step($"after {what}");
        return _host.View;
    }

    public string? PutDamagedAside(DateTimeOffset now) => null;

    public OwnerCommand Owner => new(this, this, this, this, Source, Destination, TimeProvider.System);

    public Task MakeUnusableAsync(string image, ulong epoch, ulong incomplete = 0) =>
        Rename(image, _host.Names[image] == $"incomplete-{incomplete}" ? $"incomplete-{incomplete}" : "NAME", $"ceded-{epoch}");

    public Task MakeUsableAsync(string image, ulong epoch) => Rename(image, $"ceded-{epoch}", "NAME");

    public Task<IReadOnlyList<Hash256>> VerifyAndRootsAsync(IReadOnlyList<string> images, CancellationToken cancellationToken)
    {
        Step("verify");
        return Task.FromResult<IReadOnlyList<Hash256>>([.. images.Select(_ => RootOf(_host.Data))]);
    }

    public async Task FinishImagesAsync(IReadOnlyList<ImageToFinish> images)
    {
        foreach (ImageToFinish image in images)
        {
            if (image.IsIncomplete)
            {
                await Rename(image.Image, "partial", $"incomplete-{image.Epoch}");
                Step("before tail seal");
                _host.TailSeals[image.Image] = image.Epoch;
                Step("after tail seal");
                continue;
            }

            if (_host.Names[image.Image] == "partial")
            {
                await Rename(image.Image, "partial", "NAME");
            }

            Step("before seal");
            _host.Seals[image.Image] = image.Epoch;
            Step("after seal");
        }
    }

    public Task StageTailsAsync(PrepareRequest request, CancellationToken cancellationToken)
    {
        Step("before presence maps");
        _host.Missing.UnionWith(request.Images.Select(i => i.Image));
        Step("after presence maps");
        return Task.CompletedTask;
    }

    public bool IsWhole(string image, ulong epoch)
    {
        Step("read presence map");
        return !_host.Missing.Contains(image);
    }

    public Hash256 GiveName(string image, ulong epoch)
    {
        Rename(image, $"incomplete-{epoch}", "NAME").GetAwaiter().GetResult();
        Step("before seal");
        _host.Seals[image] = epoch;
        Step("after seal");
        return Hash256.Unknown;
    }

    public void Forget(string image)
    {
        Step("before tail files go");
        _host.TailSeals.Remove(image);
        Step("after tail files went");
    }

    public void RefuseOpen(IReadOnlyList<ImageToFinish> images) => Step("look for users");

    public Task<bool> AreUnchangedAsync(IReadOnlyList<ImageToFinish> images, CancellationToken cancellationToken)
    {
        Step("hash sealed images");
        return Task.FromResult(images.All(i => i.Root == RootOf(_host.Data)));
    }

    public ImageWitness Look(string image) => _host.Look(image);

    public IDisposable? TryAcquire(IReadOnlyList<string> images, bool besideExports = false)
    {
        Step("lock");
        return _host.TryLock(images) ? new Lock(_host, _generation, images) : null;
    }

    // Exports have tests of their own; here none serves an image.
    public IDisposable? TryServe(string image) => new MemoryStream();

    public bool IsServed(string image) => false;

    // Nobody waits in a simulation: what would come later comes as a step of its own.
    public TimeSpan Limit => TimeSpan.FromSeconds(-10);

    /// <summary>The host's machine, which such a pause command pauses.</summary>
    public ISourceMachine Machine(string pause) => new SimMachine(_host, this, pause);

    ISourceMachine IHypervisor.Source(string record) => new SimMachine(_host, this, record);

    IDestinationMachine IHypervisor.Destination(string resume) => new SimMachine(_host, this, resume);

    private Task Rename(string image, string from, string to)
    {
        Step($"before rename to {to}");
        string at = _host.Names.GetValueOrDefault(image, string.Empty);
        if (at != from && at != to)
        {
            throw new DiskSyncException(FailureKind.OwnershipInDoubt, $"{_host.Name} {image}: is '{at}', neither '{from}' nor '{to}'");
        }

        _host.Names[image] = to;
        Step($"renamed to {to}, not flushed");
        if (!_host.World.NamesAreNotFlushed)
        {
            _host.DurableNames[image] = to;
        }

        Step($"renamed to {to}");
        return Task.CompletedTask;
    }

    private sealed class Lock(SimHost host, int generation, IReadOnlyList<string> images) : IDisposable
    {
        public void Dispose()
        {
            if (host.Up && host.Generation == generation)
            {
                host.Unlock(images);
            }
        }
    }
}
