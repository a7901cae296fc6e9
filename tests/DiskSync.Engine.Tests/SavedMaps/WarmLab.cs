using System.Diagnostics;
using DiskSync.Engine.Replication;
using DiskSync.Engine.SavedMaps;
using DiskSync.Engine.Tests.Replication;
using DiskSync.Formats.SavedMap;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.SavedMaps;

/// <summary>A lab whose sources and destination are on a real file system of its own, and that keeps maps.</summary>
internal sealed class WarmLab : IDisposable
{
    private readonly ScratchMount _mount;

    public WarmLab(FileSystemKind kind = FileSystemKind.Tmpfs)
    {
        _mount = ScratchMount.Create(kind);
        Lab = new SessionLab(_mount.File("destination"));
        Store = new SavedMapStore(StateFolder);
    }

    public SessionLab Lab { get; }

    public SavedMapStore Store { get; }

    public string StateFolder => _mount.File("state");

    public string Image => _mount.File("a.img");

    public string File(string name) => _mount.File(name);

    /// <summary>The record of the only map that is kept.</summary>
    public string Record => Path.Join(Assert.Single(Store.List()).Folder, "record");

    public string Map => Path.Join(Assert.Single(Store.List()).Folder, "map");

    /// <summary>Writes the source and waits until its change time is old enough for its map to be saved.</summary>
    public byte[] WriteSettled(int seed, int length)
    {
        byte[] content = SampleImage.Noise(seed, length);
        SampleImage.WriteSparse(Image, content);
        Settle();
        return content;
    }

    public void Settle()
    {
        long changed = FileStat.Of(Image).ChangedNanoseconds;
        Stopwatch clock = Stopwatch.StartNew();
        while (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch.AddTicks(changed / 100) < TimeSpan.FromSeconds(2.1))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30));
            Thread.Sleep(50);
        }
    }

    public Task<PushResult> PushAsync(Func<TransferRequest, TransferRequest>? with = null, string name = "vm.img", int granularity = 64 << 10) =>
        Lab.PushAsync(Image, name, r => (with?.Invoke(r) ?? r) with { Maps = Store }, granularity);

    /// <summary>Pushes once, so that the destination has the image and its map is saved.</summary>
    public async Task PushFirstAsync()
    {
        PushResult first = await PushAsync();
        Assert.Equal("no map of it is saved", first.Basis.ScannedBecause);
        Assert.Empty(first.Basis.NotSavedBecause);
    }

    /// <summary>Makes the saved record fit the source as it is now, as nothing but a lie could.</summary>
    public void Forge(Func<SourceIdentity, SourceIdentity>? also = null)
    {
        SavedMapRecord record = SavedMapCodec.Decode(System.IO.File.ReadAllBytes(Record));
        FileStat now = FileStat.Of(Image);
        SourceIdentity identity = record.Identity with
        {
            ChangedNs = now.ChangedNanoseconds,
            Inode = now.Inode,
            BirthNs = now.BirthNanoseconds,
        };
        System.IO.File.WriteAllBytes(Record, SavedMapCodec.Encode(record with { Identity = also?.Invoke(identity) ?? identity }));
    }

    public void Dispose()
    {
        Lab.Dispose();
        _mount.Dispose();
    }
}
