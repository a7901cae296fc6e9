using DiskSync.TestSupport;

namespace DiskSync.Nbd.Tests;

/// <summary>The server as other people's clients see it: libnbd's and QEMU's.</summary>
public sealed class RealClientTests
{
    private const int Length = 20 << 20;

    [Fact]
    public void Nbdinfo_reads_what_is_offered()
    {
        using NbdLab lab = new(Sample(1), new MemoryExport(5) { Name = "other" });
        string info = Tool.Run("libnbd-bin", "nbdinfo", lab.Uri);
        Assert.Contains($"export-size: {Length} (20M)", info, StringComparison.Ordinal);
        Assert.Contains("protocol: newstyle-fixed without TLS, using structured packets", info, StringComparison.Ordinal);
        foreach (string ability in (string[])["can_multi_conn: true", "can_fast_zero: true", "can_cache: true", "can_df: true", "can_fua: true", "can_zero: true", "can_trim: true", "is_read_only: false", "base:allocation", "block_size_maximum: 33554432"])
        {
            Assert.Contains(ability, info, StringComparison.Ordinal);
        }

        Assert.Equal(2, Tool.Run("libnbd-bin", "nbdinfo", "--list", lab.Uri).Split("export=").Length - 1);
    }

    [Fact]
    public void Nbdinfo_and_qemu_img_see_the_same_holes()
    {
        MemoryExport export = new(Length);
        SampleImage.Noise(1, 65536).CopyTo(export.Content, 65536);
        using NbdLab lab = new(export);
        string map = Tool.Run("libnbd-bin", "nbdinfo", "--map", "--totals", lab.Uri);
        Assert.Contains("65536", map, StringComparison.Ordinal);
        Assert.Contains($"{Length - 65536}", map, StringComparison.Ordinal);
        string qemu = Tool.Run("qemu-utils", "qemu-img", "map", "--output=json", "-f", "raw", lab.Uri);
        Assert.Contains("\"start\": 65536, \"length\": 65536, \"depth\": 0, \"present\": true, \"zero\": false, \"data\": true", qemu, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 64)]
    public void Nbdcopy_reads_and_writes_an_export(int connections, int requests)
    {
        MemoryExport from = Sample(2);
        MemoryExport to = new(Length);
        using NbdLab source = new(from);
        using NbdLab destination = new(to);
        Tool.Run("libnbd-bin", "nbdcopy", $"--connections={connections}", $"--requests={requests}", "--flush", source.Uri, destination.Uri);
        Assert.True(from.Content.AsSpan().SequenceEqual(to.Content));
        Assert.True(to.Flushes > 0);
    }

    [Fact]
    public void Qemu_img_converts_and_compares()
    {
        MemoryExport export = Sample(3);
        using NbdLab lab = new(export);
        string file = lab.File("image");
        Tool.Run("qemu-utils", "qemu-img", "convert", "-f", "raw", "-O", "raw", lab.Uri, file);
        Assert.True(export.Content.AsSpan().SequenceEqual(File.ReadAllBytes(file)));
        Assert.Contains("identical", Tool.Run("qemu-utils", "qemu-img", "compare", "-f", "raw", "-F", "raw", lab.Uri, file), StringComparison.Ordinal);

        MemoryExport empty = new(Length);
        using NbdLab destination = new(empty);
        Tool.Run("qemu-utils", "qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", file, destination.Uri);
        Assert.True(export.Content.AsSpan().SequenceEqual(empty.Content));
    }

    [Fact]
    public void Qemu_io_writes_zeroes_discards_and_flushes()
    {
        MemoryExport export = Sample(4);
        using NbdLab lab = new(export);
        string output = Tool.Run(
            "qemu-utils", "qemu-io", "-f", "raw",
            "-c", "write -P 0x5a 4096 65536",
            "-c", "write -f -P 0x33 1000000 500",
            "-c", "write -z 8192 4096",
            "-c", "write -z -u 16384 4096",
            "-c", "discard 32768 4096",
            "-c", "flush",
            "-c", "read -P 0x5a 4096 4096",
            "-c", "read -P 0 8192 4096",
            "-c", "read -P 0 16384 4096",
            "-c", "read -P 0 32768 4096",
            "-c", "read -P 0x33 1000000 500",
            lab.Uri);
        Assert.DoesNotContain("failed", output, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0x5a, export.Content[4096]);
        Assert.Equal(0, export.Content[8192]);
        Assert.True(export.Flushes > 1);
    }

    private static MemoryExport Sample(int seed)
    {
        MemoryExport export = new(Length);
        SampleImage.Create(seed, Length).CopyTo(export.Content, 0);
        return export;
    }
}
