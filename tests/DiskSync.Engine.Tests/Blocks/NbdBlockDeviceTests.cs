using DiskSync.Engine.Blocks;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Blocks;

/// <summary>Images behind real NBD servers.</summary>
public sealed class NbdBlockDeviceTests
{
    private const int Length = 8 << 20;

    [Fact]
    public void Holes_and_zeros_are_what_the_server_tells_of()
    {
        using TempFolder folder = new();
        string image = folder.File("image.qcow2");
        Tool.Run("qemu-utils", "qemu-img", "create", "-q", "-f", "qcow2", image, $"{Length}");
        Tool.Run("qemu-utils", "qemu-io", "-f", "qcow2", "-c", "write 1M 1M", "-c", "write -z 4M 1M", image);
        using NbdServerProcess server = NbdServerProcess.QemuNbd("--format", "qcow2", "--read-only", image);
        using NbdBlockDevice device = NbdImage.OpenSource(server.Uri);
        Extent[] extents = [.. device.Extents(512, Length - 512)];
        Assert.Equal(512, extents[0].Offset);
        Assert.Equal(Length, extents[^1].End);
        Assert.Equal(new Extent(1 << 20, 1 << 20, ExtentKind.Data), Assert.Single(extents, e => e.Kind == ExtentKind.Data));
        Assert.Equal(1 << 20, device.NextData(0, Length));
        Assert.Null(device.NextData(2 << 20, Length - (2 << 20)));
        Assert.Empty(device.Extents(512, 0));
    }

    [Fact]
    public void A_server_that_tells_no_holes_has_data_everywhere()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit("--no-sr", "memory", $"{Length}");
        using NbdBlockDevice device = NbdImage.OpenSource(server.Uri);
        Assert.Equal([new Extent(4096, 8192, ExtentKind.Data)], device.Extents(4096, 8192));
    }

    [Fact]
    public void Zeros_read_as_zeros_whether_the_server_makes_them_or_not()
    {
        foreach (string[] filter in (string[][])[[], ["--filter=nozero"]])
        {
            using NbdServerProcess server = NbdServerProcess.Nbdkit([.. filter, "memory", $"{Length}"]);
            using NbdBlockDevice device = NbdImage.OpenTarget(server.Uri);
            Assert.Equal(filter.Length == 0, device.Export.CanZero);
            device.Write(0, SampleImage.Noise(1, Length));
            device.Zero(4096, 3 << 20, punch: true);
            device.Zero(5 << 20, 1 << 20, punch: false);
            device.Flush();
            byte[] read = new byte[Length];
            device.Read(0, read);
            Assert.False(read.AsSpan(4096, 3 << 20).ContainsAnyExcept((byte)0));
            Assert.False(read.AsSpan(5 << 20, 1 << 20).ContainsAnyExcept((byte)0));
            Assert.True(read.AsSpan(0, 4096).ContainsAnyExcept((byte)0));
        }
    }

    [Fact]
    public void An_image_may_end_within_a_block_of_its_export()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit(
            "--filter=blocksize-policy", "memory", $"{Length}", "blocksize-minimum=4096", "blocksize-error-policy=error");
        using NbdBlockDevice device = NbdImage.OpenTarget(server.Uri);
        Assert.Equal(4096, device.Alignment);
        byte[] whole = SampleImage.Noise(1, Length);
        device.Write(0, whole);
        byte[] odd = SampleImage.Noise(2, 4096 + 100);
        device.Write(8192, odd);
        odd.CopyTo(whole, 8192);
        device.Zero(65536, 8192 + 7, punch: true);
        whole.AsSpan(65536, 8192 + 7).Clear();
        byte[] read = new byte[Length];
        device.Read(0, read);
        Assert.True(read.AsSpan().SequenceEqual(whole));
        byte[] part = new byte[4096 + 100];
        device.Read(8192, part);
        Assert.Equal(odd, part);
    }

    [Fact]
    public void A_place_that_cannot_be_read_is_named()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit(
            "eval", $"get_size=echo {Length}", "pread=if [ $(($4 + $3)) -gt 1052672 ] && [ $4 -lt 1056768 ]; then echo EIO bad sector >&2; exit 1; else dd if=/dev/zero count=$3 iflag=count_bytes; fi");
        using NbdBlockDevice device = NbdImage.OpenSource(server.Uri);
        ImageIOException failure = Assert.Throws<ImageIOException>(() => device.Read(1 << 20, new byte[65536]));
        Assert.Equal((FailureKind.Source, 1052672), (failure.Kind, failure.Offset));
        Assert.Contains(server.Uri, failure.Message, StringComparison.Ordinal);
        Assert.Contains("EIO", failure.Message, StringComparison.Ordinal);
        device.Read(0, new byte[65536]);
    }

    [Fact]
    public void A_flush_that_failed_once_fails_for_good()
    {
        using TempFolder folder = new();
        string failing = folder.Write("failing", []);
        using NbdServerProcess server = NbdServerProcess.Nbdkit(
            "eval", $"get_size=echo {Length}", "pread=dd if=/dev/zero count=$3 iflag=count_bytes", "pwrite=cat >/dev/null", "can_write=exit 0", "can_flush=exit 0",
            $"flush=if [ -e {failing} ]; then echo EIO lost >&2; exit 1; fi");
        using NbdBlockDevice device = NbdImage.OpenTarget(server.Uri);
        Assert.Throws<ImageIOException>(device.Flush);
        File.Delete(failing);
        Assert.Contains("an earlier flush failed", Assert.Throws<ImageIOException>(device.Flush).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_dies_ends_the_copy_with_what_to_do()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit("memory", $"{Length}");
        using NbdBlockDevice device = NbdImage.OpenTarget(server.Uri);
        device.Write(0, new byte[4096]);
        server.Kill();
        ImageIOException failure = Assert.Throws<ImageIOException>(() => device.Write(4096, new byte[4096]));
        Assert.Equal((FailureKind.Destination, 4096), (failure.Kind, failure.Offset));
        Assert.NotEmpty(failure.Advice);
        Assert.Throws<ImageIOException>(device.Flush);
    }

    [Fact]
    public void What_cannot_be_written_or_flushed_is_no_destination()
    {
        using NbdServerProcess readOnly = NbdServerProcess.Nbdkit("--readonly", "memory", $"{Length}");
        Assert.Contains("read-only", Assert.Throws<DiskSyncException>(() => NbdImage.OpenTarget(readOnly.Uri)).Message, StringComparison.Ordinal);
        using NbdServerProcess volatileOne = NbdServerProcess.Nbdkit(
            "eval", $"get_size=echo {Length}", "pread=dd if=/dev/zero count=$3 iflag=count_bytes", "pwrite=cat >/dev/null", "can_write=exit 0", "can_flush=exit 3");
        Assert.Contains("cannot flush", Assert.Throws<DiskSyncException>(() => NbdImage.OpenTarget(volatileOne.Uri)).Message, StringComparison.Ordinal);
        using NbdServerProcess coarse = NbdServerProcess.Nbdkit("--filter=blocksize-policy", "memory", $"{Length}", "blocksize-minimum=64K", "blocksize-preferred=64K", "blocksize-error-policy=error");
        Assert.Contains("65536", Assert.Throws<DiskSyncException>(() => NbdImage.OpenSource(coarse.Uri)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nbd://Host/a", "nbd://host:10809/a", true)]
    [InlineData("nbd://host/a", "nbds://host/a?tls-hostname=x", true)]
    [InlineData("nbd+unix:///a?socket=/run/x", "nbd+unix:///a?socket=/run/../run/x", true)]
    [InlineData("nbd://host/a", "nbd://host/b", false)]
    [InlineData("nbd://host/a", "nbd://host:1/a", false)]
    [InlineData("nbd+unix:///a?socket=/run/x", "nbd+unix:///a?socket=/run/y", false)]
    [InlineData("nbd://host/a%2Fb", "nbd://host/a%5Fb", false)]
    public void An_export_has_one_identity_however_it_is_reached(string one, string other, bool same)
    {
        string first = NbdImage.IdOf(NbdImage.Parse(one));
        Assert.Equal(same, first == NbdImage.IdOf(NbdImage.Parse(other)));
        Assert.Matches("^nbd-[A-Za-z0-9._-]{1,80}$", first);
    }
}
