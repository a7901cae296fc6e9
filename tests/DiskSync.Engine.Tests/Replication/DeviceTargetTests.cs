using DiskSync.Codecs;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>Pushes onto a real block device, judged through its backing file.</summary>
public sealed class DeviceTargetTests : IDisposable
{
    private const int K = 1024;
    private const int Length = 2 << 20;

    // A peer reaches devices only where the receiver's root holds them, which is for the receiver's user to decide.
    private readonly SessionLab _lab = new(root: "/dev");
    private readonly LoopDevice _device = LoopDevice.Create(Length + (64 * K));

    public void Dispose()
    {
        _device.Dispose();
        _lab.Dispose();
    }

    [Fact]
    public async Task A_device_needs_to_be_named_as_something_that_may_be_overwritten()
    {
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
            () => _lab.PushAsync(_lab.Source("a.img", SampleImage.Noise(1, Length)), _device.Name));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("--inplace", failure.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_device_held_is_never_assumed_and_its_bytes_past_the_image_stay()
    {
        byte[] old = SampleImage.Noise(7, Length + (64 * K));
        await File.WriteAllBytesAsync(_device.Path, old);
        byte[] content = SampleImage.Noise(1, Length - 512);
        content.AsSpan(300 * K, 500 * K).Clear();
        PushResult result = await PushAsync(content);
        Assert.Contains("left as they are", result.Notice, StringComparison.Ordinal);
        AssertDevice([.. content, .. old[content.Length..]]);
    }

    [Fact]
    public async Task A_second_push_onto_a_device_sends_only_what_differs_from_what_it_holds_now()
    {
        byte[] content = SampleImage.Noise(1, Length);
        await PushAsync(content);

        // Somebody else writes the device, after its seal.
        await using (FileStream other = new(_device.Path, FileMode.Open, FileAccess.Write))
        {
            other.Position = 128 * K;
            other.Write(new byte[4 * K]);
            other.Flush(flushToDisk: true);
        }

        PushResult again = await PushAsync(content);
        Assert.Equal(1, again.Rounds.Sum(r => r.BlocksChanged));
        AssertDevice(content);
    }

    [Fact]
    public async Task A_push_onto_a_device_that_was_cut_is_gone_on_from()
    {
        byte[] content = SampleImage.Noise(1, Length);
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => PushAsync(content, new DelayingProxy(cutAfter: 1 << 20)));
        PushResult resumed = await PushAsync(content);
        Assert.True(resumed.Resumed);
        Assert.True(resumed.Rounds[0].ChangedBytes < Length - (500 * K), $"{resumed.Rounds[0].ChangedBytes} bytes were sent again");
        AssertDevice(content);
    }

    [Fact]
    public async Task A_device_that_is_too_small_is_refused_before_it_is_written()
    {
        byte[] old = SampleImage.Noise(7, Length + (64 * K));
        await File.WriteAllBytesAsync(_device.Path, old);
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
            () => PushAsync(SampleImage.Noise(1, Length + (65 * K))));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains($"{Length + (64 * K)}", failure.Message, StringComparison.Ordinal);
        AssertDevice(old);
    }

    [Fact]
    public void A_device_whose_state_cannot_be_kept_is_let_go_at_once()
    {
        using TempFolder folder = new();
        using FileTargetProvider provider = new("/dev", folder.Write("no-folder", [1]));
        OpenImage request = new(
            _device.Name, Length, 64 * K, OpenFlags.InPlace, BaseChoice.None, string.Empty, Hash256.Unknown, uint.MaxValue, string.Empty);
        Assert.ThrowsAny<Exception>(() => provider.Open(request, Guid.NewGuid(), (_, _, _) => { }, () => { }, CancellationToken.None));

        // Nobody else has it exclusively: not this process either, before its garbage is collected.
        using LinuxFile exclusive = LinuxFile.Open(_device.Path, LinuxOpen.ReadWrite | LinuxOpen.Exclusive);
        Assert.Equal(FileKind.BlockDevice, exclusive.Stat().Kind);
    }

    private Task<PushResult> PushAsync(byte[] content, DelayingProxy? wire = null) => _lab.PushAsync(
        _lab.Source("a.img", content), _device.Name, r => r with { Flags = OpenFlags.InPlace }, wire: wire);

    private void AssertDevice(ReadOnlySpan<byte> content)
    {
        Tool.Run("util-linux", "blockdev", "--flushbufs", _device.Path);
        byte[] held = File.ReadAllBytes(_device.BackingFile);
        Assert.True(content.SequenceEqual(held.AsSpan(0, content.Length)), "the device differs from what was pushed");
    }
}
