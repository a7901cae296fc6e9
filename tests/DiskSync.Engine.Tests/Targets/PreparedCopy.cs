using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Formats.Tail;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Targets;

/// <summary>A receiver's folder in which a copy was brought as far as PREPARED, and whose process then died.</summary>
internal sealed class PreparedCopy : IDisposable
{
    private readonly TempFolder _folder = new();

    /// <param name="root">The receiver's root, or null for a folder of its own.</param>
    public PreparedCopy(string? root = null)
    {
        Root = root ?? _folder.File("root");
        Directory.CreateDirectory(Root);
        Provider = new FileTargetProvider(Root, _folder.File("state"));
    }

    public string Root { get; }

    public FileTargetProvider Provider { get; }

    public string PathOf(string name) => Path.Join(Root, name);

    /// <summary>Stages a copy and proves it.</summary>
    /// <returns>What the seal is to record.</returns>
    public SealRequest Prepare(string name, byte[] content, OpenFlags flags = OpenFlags.None)
    {
        using ITarget target = Open(name, content.Length, flags);
        Write(target, content, target.Store.Geometry.BlockCount);
        Assert.Empty(target.Store.ReadBack((_, _) => { }, CancellationToken.None).Wrong);
        target.PrepareFinish();
        return new SealRequest(2, target.Store.Root(), Guid.NewGuid());
    }

    /// <summary>Stages a copy some blocks of which are called missing, and proves it.</summary>
    /// <returns>What its names are to record.</returns>
    public SealRequest PrepareTail(string name, byte[] content, long first, long count, OpenFlags flags = OpenFlags.None)
    {
        using ITarget target = Open(name, content.Length, flags);
        Write(target, content, target.Store.Geometry.BlockCount);
        Assert.Empty(target.Store.ReadBack((_, _) => { }, CancellationToken.None).Wrong);
        target.PrepareFinish();
        target.Store.Missing.Add(first, count);
        SealRequest seal = new(2, target.Store.Root(), Guid.NewGuid()) { IsIncomplete = true };
        target.PrepareTail(new TailSealRecord(name, seal.Epoch, target.Store.Geometry, Hash256.Unknown, seal.Attempt, 1, "source", "/srv/" + name));
        return seal;
    }

    /// <summary>What a receiver that knows nothing of the promise does to a copy.</summary>
    public void Overwrite(string name, byte[] content, long blocks)
    {
        using ITarget target = Open(name, content.Length, OpenFlags.None);
        Write(target, content, blocks);
        target.Store.Checkpoint();
    }

    public void Dispose()
    {
        Provider.Dispose();
        _folder.Dispose();
    }

    private ITarget Open(string name, int length, OpenFlags flags) => Provider.Open(
        new OpenImage(name, (ulong)length, 64 << 10, flags, BaseChoice.None, string.Empty, Hash256.Unknown, uint.MaxValue, string.Empty),
        Guid.NewGuid(),
        (_, _, _) => { },
        () => { },
        CancellationToken.None);

    private static void Write(ITarget target, byte[] content, long blocks)
    {
        using DiskSync.Linux.AlignedBuffer aligned = new(64 << 10);
        for (long block = 0; block < blocks; block++)
        {
            ReadOnlySpan<byte> data = content.AsSpan((int)(block << 16), target.Store.Geometry.LengthOf(block));
            data.CopyTo(aligned.Span);
            target.Store.Write(block, aligned.Span[..data.Length], [Blake3.Hash(data)]);
        }
    }
}
