using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using DiskSync.Engine;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>A real <c>disksync export</c> with real clients.</summary>
public sealed class ExportCommandTests : ImageFiles
{
    private const int Terminate = 15;

    private string SocketPath => Folder.File("s");

    private string Uri => $"nbd+unix:///?socket={SocketPath}";

    [Fact]
    public async Task An_image_is_read_and_written_and_what_was_answered_is_in_it()
    {
        using DisksyncProcess export = await StartAsync(ImagePath, "--json");
        string copy = Folder.File("copy");
        Tool.Run("libnbd-bin", "nbdcopy", Uri, copy);
        Assert.Equal(Now, await File.ReadAllBytesAsync(copy));
        Tool.Run("libnbd-bin", "nbdcopy", "--flush", BasePath, Uri);
        Tool.Run("qemu-utils", "qemu-io", "-f", "raw", "-c", "write -P 0x77 8192 4096", "-c", "write -z -u 65536 131072", Uri);

        export.Signal(Terminate);
        DisksyncResult ended = await export.WaitAsync();
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.Equal("image.img", ended.Json.GetProperty("name").GetString());
        Assert.False(ended.Json.GetProperty("readOnly").GetBoolean());
        Assert.True(ended.Json.GetProperty("connections").GetInt32() >= 3);
        Assert.False(File.Exists(SocketPath));

        byte[] expected = (byte[])Old.Clone();
        expected.AsSpan(8192, 4096).Fill(0x77);
        expected.AsSpan(65536, 131072).Clear();
        Assert.Equal(expected, await File.ReadAllBytesAsync(ImagePath));
    }

    [Fact]
    public async Task Holes_are_told_and_made()
    {
        string image = Folder.File("sparse.img");
        await using (FileStream file = File.Create(image))
        {
            file.SetLength(1 << 20);
            file.Write(SampleImage.Noise(1, 65536));
        }

        using DisksyncProcess export = await StartAsync(image);
        Assert.Equal("0 65536 65536 983040", Map());
        Tool.Run("qemu-utils", "qemu-io", "-f", "raw", "-c", "discard 0 32768", Uri);
        Assert.Equal("32768 32768 65536 983040", Map());
        return;

        // Offset and length of what is data, then of what is a hole at the end.
        string Map()
        {
            JsonElement[] extents = [.. JsonDocument.Parse(Tool.Run("libnbd-bin", "nbdinfo", "--map", "--json", Uri)).RootElement.EnumerateArray()];
            JsonElement data = extents.Single(e => e.GetProperty("type").GetInt32() == 0);
            JsonElement hole = extents[^1];
            Assert.Equal(3, hole.GetProperty("type").GetInt32());
            return $"{data.GetProperty("offset")} {data.GetProperty("length")} {hole.GetProperty("offset")} {hole.GetProperty("length")}";
        }
    }

    [Fact]
    public async Task What_is_read_only_stays_as_it_is_and_may_be_served_twice()
    {
        using DisksyncProcess first = await StartAsync(ImagePath, "--read-only", "--name", "x y/ü");
        string info = Tool.Run("libnbd-bin", "nbdinfo", Uri);
        Assert.Contains("is_read_only: true", info, StringComparison.Ordinal);
        Assert.Contains($"export-size: {Now.Length}", info, StringComparison.Ordinal);
        Assert.Contains("x y/ü", Tool.Run("libnbd-bin", "nbdinfo", "--list", "--json", Uri), StringComparison.Ordinal);
        Assert.NotEqual(0, Tool.TryRun("qemu-utils", "qemu-io", "-f", "raw", "-c", "write 0 512", Uri).Code);
        using DisksyncProcess second = DisksyncProcess.Start(["export", ImagePath, "--read-only", "--listen", $"unix:{Folder.File("t")}"]);
        await UntilAsync(() => File.Exists(Folder.File("t")));
        Assert.Contains("identical", Tool.Run("qemu-utils", "qemu-img", "compare", "-f", "raw", "-F", "raw", $"nbd+unix:///?socket={Folder.File("t")}", Uri), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(Now, await File.ReadAllBytesAsync(ImagePath));
    }

    [Fact]
    public async Task Nobody_else_writes_or_moves_what_is_served_for_writing()
    {
        using DisksyncProcess export = await StartAsync(ImagePath);
        AssertFailure(
            await DisksyncProcess.RunAsync("export", ImagePath, "--listen", $"unix:{Folder.File("t")}"), (int)FailureKind.Preflight, "another disksync process");
        Assert.False(File.Exists(Folder.File("t")));
        Directory.CreateDirectory(Folder.File("far"));
        DisksyncResult migrate = await DisksyncProcess.RunAsync(
            "migrate", ImagePath, Folder.File("far/"), "--pause", "true", "--unpause", "true", "--resume", "true");
        AssertFailure(migrate, (int)FailureKind.Preflight, "served by a 'disksync export'");
        DisksyncResult push = await DisksyncProcess.RunAsync("push", BasePath, ImagePath, "--inplace");
        Assert.True(push.ExitCode != 0, push.ToString());
        Tool.Run("diffutils", "cmp", Folder.Write("now", Now), ImagePath);
    }

    [Fact]
    public async Task What_another_host_owns_is_not_served_for_writing()
    {
        Directory.CreateDirectory(Folder.File("far"));
        DisksyncResult migrate = await DisksyncProcess.RunAsync(
            "migrate", ImagePath, Folder.File("far/"), "--pause", "true", "--unpause", "true", "--resume", "true");
        Assert.True(migrate.ExitCode == 0, migrate.ToString());
        await File.WriteAllBytesAsync(ImagePath, Now);
        DisksyncResult refused = await DisksyncProcess.RunAsync("export", ImagePath, "--listen", $"unix:{SocketPath}");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("disksync owner", refused.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(SocketPath));

        // Its new owner may serve it, unless somebody else uses it.
        string there = Folder.File("far/image.img");
        using DisksyncProcess export = await StartAsync(there);
        Tool.Run("libnbd-bin", "nbdinfo", Uri);
    }

    [Fact]
    public async Task A_partial_copy_is_not_served_for_writing()
    {
        string partial = Folder.Write("x.img.partial", Now);
        AssertFailure(await DisksyncProcess.RunAsync("export", partial, "--listen", $"unix:{SocketPath}"), (int)FailureKind.Preflight, "partial copy", "--read-only");
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused()
    {
        AssertFailure(await DisksyncProcess.RunAsync("export", ImagePath), (int)FailureKind.Usage, "--listen");
        AssertFailure(await DisksyncProcess.RunAsync("export", ImagePath, "--listen", "tcp:127.0.0.1:0", "--keys", Folder.File("none")), (int)FailureKind.Preflight, "no key");
        AssertFailure(await DisksyncProcess.RunAsync("export", Folder.File("none"), "--listen", $"unix:{SocketPath}"), (int)FailureKind.Source, "none");
        AssertFailure(await DisksyncProcess.RunAsync("export", Folder.File("none"), "--read-only", "--listen", $"unix:{SocketPath}"), (int)FailureKind.Source, "none");
        AssertFailure(await DisksyncProcess.RunAsync("export", ImagePath, "--listen", $"unix:{Folder.File("no/such/s")}"), (int)FailureKind.Preflight, "cannot listen");
        AssertFailure(await DisksyncProcess.RunAsync("export", ImagePath, "--incoming", "--read-only", "--listen", $"unix:{SocketPath}"), (int)FailureKind.Usage, "--incoming");
        AssertFailure(await DisksyncProcess.RunAsync("export", ImagePath, "--size", "1M", "--listen", $"unix:{SocketPath}"), (int)FailureKind.Usage, "--size");
        AssertFailure(await DisksyncProcess.RunAsync("export", Folder.File("no/such/x"), "--incoming", "--listen", $"unix:{SocketPath}"), (int)FailureKind.Preflight, "no/such");
    }

    [Fact]
    public async Task On_TCP_it_is_served_to_whoever_comes_and_the_user_is_told()
    {
        int port;
        using (TcpListener free = new(IPAddress.IPv6Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        using DisksyncProcess export = await StartAsync(ImagePath, "--insecure", "--listen", $"tcp:[::1]:{port}");
        string copy = Folder.File("copy");
        Tool.Run("libnbd-bin", "nbdcopy", $"nbd://[::1]:{port}/image.img", copy);
        Assert.Equal(Now, await File.ReadAllBytesAsync(copy));
        export.Signal(Terminate);
        DisksyncResult ended = await export.WaitAsync();
        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("--insecure: whoever reaches", ended.Error, StringComparison.Ordinal);
        Assert.Contains($"serving {ImagePath} as 'image.img' on tcp:[::1]:{port}", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_loop_device_is_served_in_its_sectors()
    {
        using LoopDevice loop = LoopDevice.FromFile(Folder.Write("disk", SampleImage.Create(5, 4 << 20)));
        using DisksyncProcess export = await StartAsync(loop.Path);
        Assert.Contains("block_size_minimum: 512", Tool.Run("libnbd-bin", "nbdinfo", Uri), StringComparison.Ordinal);
        string copy = Folder.File("copy");
        Tool.Run("libnbd-bin", "nbdcopy", Uri, copy);
        Assert.Equal(SampleImage.Create(5, 4 << 20), await File.ReadAllBytesAsync(copy));
        Tool.Run("libnbd-bin", "nbdcopy", "--flush", Folder.Write("other", SampleImage.Create(6, 4 << 20)), Uri);
        export.Signal(Terminate);
        Assert.Equal(0, (await export.WaitAsync()).ExitCode);
        Tool.Run("diffutils", "cmp", Folder.File("other"), loop.Path);
    }

    private async Task<DisksyncProcess> StartAsync(string image, params string[] options)
    {
        DisksyncProcess process = DisksyncProcess.Start(["export", image, "--listen", $"unix:{SocketPath}", .. options]);
        try
        {
            await UntilAsync(() => File.Exists(SocketPath) || process.Process.HasExited);
            Assert.True(File.Exists(SocketPath), "export has ended");
            return process;
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }
}
