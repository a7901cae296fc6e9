using DiskSync.Engine.Blocks;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>What is read is not what was written: behind a page cache at the source, or on the destination's medium.</summary>
public sealed class StaleContentTests : IDisposable
{
    private readonly SessionLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task A_source_device_that_refuses_O_DIRECT_is_not_read_from_its_stale_page_cache()
    {
        byte[] old = SampleImage.Noise(1, 1 << 20);
        byte[] content = SampleImage.Noise(2, 1 << 20);
        string backing = _lab.Source("backing.img", old);
        using LoopDevice disk = LoopDevice.FromFile(backing);
        using BlockSpecialDevice source = new(
            LinuxFile.Open(disk.Path, LinuxOpen.ReadOnly), disk.Path, Side.Source, direct: false);
        byte[] seen = new byte[old.Length];
        source.Read(0, seen);

        // As a guest does that has the disk behind the device.
        await using (FileStream behind = new(backing, FileMode.Open, FileAccess.Write))
        {
            behind.Write(content);
        }

        source.Read(0, seen);
        Assert.True(seen.AsSpan().SequenceEqual(old), "the page cache is not stale, so this shows nothing");
        await _lab.PushAsync(disk.Path, with: r => r with { Source = source });
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task More_wrong_blocks_than_one_answer_lists_are_repaired()
    {
        byte[] content = SampleImage.Noise(1, 6000 * 4096);
        PushResult result = await _lab.PushAsync(
            _lab.Source("a.img", content),
            granularity: 4096,
            progress: new Saboteur(_lab.Target("vm.img.partial"), SampleImage.Noise(2, 5000 * 4096)));
        _lab.AssertTarget(content);
        Assert.Equal(5000, result.Rounds[1].BlocksChanged);
    }

    /// <summary>Overwrites the staged copy after the last block has come and before it is read back.</summary>
    private sealed class Saboteur(string path, byte[] noise) : IProgressSink
    {
        public void Report(CopyProgress progress)
        {
            if (progress.Phase == CopyPhase.Flushing)
            {
                using LinuxFile file = LinuxFile.Open(path, LinuxOpen.ReadWrite);
                file.WriteAt(noise, 0);
            }
        }
    }
}
