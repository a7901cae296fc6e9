using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Tail;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Presence;
using DiskSync.TestSupport;
using DiskSync.TestSupport.PowerCuts;

namespace DiskSync.Engine.Tests.Tail;

/// <summary>An image in a real file of which some parts are missing, and their source in memory.</summary>
internal sealed class TailLab : IDisposable, ITailHashes
{
    public const int Unit = 64 << 10;
    public const int Part = PresenceHeader.PartSize;
    private readonly TempFolder _folder = new();
    private readonly SimulatedMedium _medium = new(1);
    private readonly SimulatedJournalPlace _place;
    private readonly SimulatedFile _notes;
    private readonly Guid _boot = Guid.NewGuid();

    /// <summary>Makes an image.</summary>
    /// <param name="length">Its length.</param>
    /// <param name="present">The parts that are in it; everything else holds 0xEE.</param>
    /// <param name="options">How it is fetched.</param>
    /// <param name="checks">Whether hashes are known.</param>
    public TailLab(int length, PresenceRange[] present, TailOptions? options = null, bool checks = false)
    {
        Content = SampleImage.Noise(7, length);
        Geometry = new BlockGeometry(length, Unit);
        Source = new ManualTailSource(Content);
        byte[] here = new byte[length];
        here.AsSpan().Fill(0xEE);
        foreach (PresenceRange range in present)
        {
            int at = (int)range.First * Part;
            Content.AsSpan(at, Math.Min((int)range.Count * Part, length - at)).CopyTo(here.AsSpan(at));
        }

        Image = BlockDevices.OpenTarget(_folder.Write("image", here));
        _place = new SimulatedJournalPlace(_medium);
        _notes = _medium.CreateStateFile("notes");
        Map = PresenceMap.Create(
            _place, _notes.Open(), new PresenceHeader(length, Guid.NewGuid(), Guid.NewGuid(), 2, Hash256.Unknown, 0), present, _boot);
        Device = new TailDevice(Image, Map, Source, checks ? this : null, options ?? new TailOptions());
    }

    public byte[] Content { get; }

    public BlockGeometry Geometry { get; }

    public ManualTailSource Source { get; }

    public IBlockDevice Image { get; }

    public PresenceMap Map { get; private set; }

    public TailDevice Device { get; private set; }

    public SimulatedFile MapFile => _place.Current!;

    public bool Accept(long block, Hash256 hash) => hash == Blake3.Hash(Content.AsSpan((int)Geometry.OffsetOf(block), Geometry.LengthOf(block)));

    /// <summary>Begins anew, as after a kill.</summary>
    public void Reopen()
    {
        Device.Dispose();
        Map = PresenceMap.Open(_place, _notes.Open(), "image", Image.Length, _boot);
        Device = new TailDevice(Image, Map, Source, null, new TailOptions());
    }

    public void RemoveMap() => _place.Remove();

    public byte[] Read(long offset, int length)
    {
        byte[] buffer = new byte[length];
        Device.Read(offset, buffer);
        return buffer;
    }

    public byte[] Expected(long offset, int length) => Content.AsSpan((int)offset, length).ToArray();

    public static async Task UntilAsync(Func<bool> happened)
    {
        for (int i = 0; !happened(); i++)
        {
            Assert.True(i < 3000, "what the test waits for did not happen");
            await Task.Delay(10);
        }
    }

    public void Dispose()
    {
        Device.Dispose();
        Map.Dispose();
        Image.Dispose();
        _folder.Dispose();
    }
}
