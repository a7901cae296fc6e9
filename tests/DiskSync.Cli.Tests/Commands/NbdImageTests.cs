using DiskSync.Engine;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>Whole commands on images behind real NBD servers: qemu-nbd with qcow2 and other formats, nbdkit with faults.</summary>
public sealed class NbdImageTests : ImageFiles
{
    private const int Length = 16 << 20;

    private string State => Folder.File("state");

    [Theory]
    [InlineData("qcow2")]
    [InlineData("vmdk")]
    [InlineData("vhdx")]
    public async Task An_image_of_another_format_is_pushed_into_and_out_of(string format)
    {
        string raw = Folder.Write("raw", SampleImage.Create(7, Length));
        string image = Folder.File($"disk.{format}");
        Tool.Run("qemu-utils", "qemu-img", "create", "-q", "-f", format, image, $"{Length}");
        using (NbdServerProcess server = NbdServerProcess.QemuNbd("--format", format, "--shared=8", image))
        {
            AssertFailure(await RunAsync("push", raw, server.Uri), (int)FailureKind.Preflight, "NBD export", "--inplace");
            DisksyncResult push = await RunAsync("push", raw, server.Uri, "--inplace", "--json");
            Assert.True(push.ExitCode == 0, push.ToString());
            Assert.Contains("rests on the answer to the flush", push.Error, StringComparison.Ordinal);
            server.Stop();
        }

        Assert.Contains("identical", Tool.Run("qemu-utils", "qemu-img", "compare", "-f", format, "-F", "raw", image, raw), StringComparison.OrdinalIgnoreCase);
        using (NbdServerProcess server = NbdServerProcess.QemuNbd("--format", format, "--shared=8", "--read-only", image))
        {
            string copy = Folder.File("copy");
            DisksyncResult push = await RunAsync("push", server.Uri, copy);
            Assert.True(push.ExitCode == 0, push.ToString());
            Tool.Run("diffutils", "cmp", raw, copy);

            // Whoever writes through a server nobody can tell, so its map is never saved.
            Assert.Contains("nobody can tell what is written to it", push.Output, StringComparison.Ordinal);
            AssertFailure(await RunAsync("push", raw, server.Uri, "--inplace"), (int)FailureKind.Preflight, "read-only");
        }
    }

    [Fact]
    public async Task What_is_pushed_again_sends_what_has_changed_and_goes_on_after_a_kill_of_the_server()
    {
        string image = Folder.File("disk.qcow2");
        string socket;
        Tool.Run("qemu-utils", "qemu-img", "create", "-q", "-f", "qcow2", image, $"{Now.Length / 512 * 512}");
        string raw = Folder.Write("raw", Now.AsSpan(0, Now.Length / 512 * 512));
        using NbdServerProcess server = NbdServerProcess.QemuNbd("--format", "qcow2", "--shared=8", image);
        socket = server.Uri;
        Assert.Equal(0, (await RunAsync("push", raw, socket, "--inplace")).ExitCode);
        using (FileStream file = File.OpenWrite(raw))
        {
            file.Position = 200_000;
            file.WriteByte(77);
        }

        DisksyncResult again = await RunAsync("push", raw, socket, "--inplace", "--json");
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.True(again.Json.GetProperty("bytesSent").GetInt64() < 100_000, again.Output);
        server.Kill();
        AssertFailure(await RunAsync("push", raw, socket, "--inplace"), (int)FailureKind.Destination, "cannot be reached");
    }

    [Fact]
    public async Task Images_are_compared_mapped_and_changed_wherever_they_are()
    {
        string image = Folder.File("disk.qcow2");
        string raw = Folder.Write("raw", Now.AsSpan(0, 3 << 20));
        string old = Folder.Write("old", Old.AsSpan(0, 3 << 20));
        Tool.Run("qemu-utils", "qemu-img", "convert", "-f", "raw", "-O", "qcow2", old, image);
        using NbdServerProcess server = NbdServerProcess.QemuNbd("--format", "qcow2", "--shared=8", image);
        Assert.Equal(0, (await RunAsync("verify", server.Uri, old)).ExitCode);
        DisksyncResult diff = await RunAsync("diff", server.Uri, raw, "--json");
        DisksyncResult direct = await RunAsync("diff", old, raw, "--json");
        Assert.Equal(1, diff.ExitCode);
        Assert.Equal(direct.Json.GetProperty("changedBytes").GetInt64(), diff.Json.GetProperty("changedBytes").GetInt64());
        Assert.Equal(
            (await RunAsync("map", old)).Output.Split(' ')[0],
            (await RunAsync("map", server.Uri, "-o", Folder.File("map"))).Output.Split(' ')[0]);
        Assert.Equal(0, (await RunAsync("delta", server.Uri, raw, "-o", Folder.File("delta"))).ExitCode);
        DisksyncResult apply = await RunAsync("apply", Folder.File("delta"), server.Uri);
        Assert.True(apply.ExitCode == 0, apply.ToString());
        Assert.Equal(0, (await RunAsync("verify", raw, server.Uri)).ExitCode);
        Assert.Equal(1, (await RunAsync("verify", server.Uri, Folder.File("map"))).ExitCode);
        AssertFailure(await RunAsync("push", server.Uri, server.Uri, "--inplace"), (int)FailureKind.Preflight, "the same export");
    }

    [Fact]
    public async Task A_machine_is_moved_off_an_export_only_with_the_users_word_and_onto_one_as_onto_a_device()
    {
        string raw = Folder.Write("raw", Now.AsSpan(0, 3 << 20));
        using NbdServerProcess from = NbdServerProcess.Nbdkit("file", Folder.Write("from", Now.AsSpan(0, 3 << 20)));
        using NbdServerProcess to = NbdServerProcess.Nbdkit("file", Folder.Write("to", new byte[3 << 20]));
        string[] hooks = ["--pause", "true", "--unpause", "true", "--resume", "true"];
        Directory.CreateDirectory(Folder.File("far"));
        AssertFailure(
            await RunAsync(["migrate", from.Uri, Folder.File("far/x.img"), .. hooks]), (int)FailureKind.Preflight, "NBD export", "--accept-unfenced");
        DisksyncResult off = await RunAsync(["migrate", from.Uri, Folder.File("far/x.img"), "--accept-unfenced", .. hooks]);
        Assert.True(off.ExitCode == 0, off.ToString());
        Tool.Run("diffutils", "cmp", raw, Folder.File("far/x.img"));
        Assert.NotEqual(0, (await RunAsync(["migrate", from.Uri, Folder.File("far/y.img"), "--accept-unfenced", .. hooks])).ExitCode);

        DisksyncResult onto = await RunAsync(["migrate", raw, to.Uri, "--inplace", .. hooks]);
        Assert.True(onto.ExitCode == 0, onto.ToString());
        Tool.Run("diffutils", "cmp", Folder.File("far/x.img"), Folder.File("to"));
        Assert.Contains("may write", (await RunAsync("owner", to.Uri)).Output, StringComparison.Ordinal);
        AssertFailure(await RunAsync("push", Folder.File("far/x.img"), to.Uri, "--inplace"), (int)FailureKind.Preflight, "this host owns it");
    }

    [Fact]
    public async Task A_folder_gets_the_exports_name()
    {
        string folder = Directory.CreateDirectory(Folder.File("exports")).FullName;
        File.WriteAllBytes(Path.Join(folder, "web 1.img"), Now);
        using NbdServerProcess server = NbdServerProcess.Nbdkit("file", $"dir={folder}");
        string copies = Directory.CreateDirectory(Folder.File("copies")).FullName + "/";
        DisksyncResult push = await RunAsync("push", server.UriOf("web%201.img"), copies);
        Assert.True(push.ExitCode == 0, push.ToString());
        Assert.Equal(Now, await File.ReadAllBytesAsync(Folder.File("copies/web 1.img")));
        Assert.NotEqual(0, (await RunAsync("push", server.UriOf("other"), copies)).ExitCode);
        using NbdServerProcess nameless = NbdServerProcess.Nbdkit("memory", "1M");
        AssertFailure(await RunAsync("push", nameless.Uri, copies), (int)FailureKind.Usage, "no name");
    }

    [Fact]
    public async Task A_source_that_cannot_be_read_is_named_with_its_offset_and_what_to_do()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit(
            "eval", $"get_size=echo {Length}", "pread=if [ $4 -ge 4194304 ] && [ $4 -lt 4259840 ]; then echo EIO bad sector >&2; exit 1; else dd if=/dev/urandom count=$3 iflag=count_bytes; fi");
        AssertFailure(
            await RunAsync("push", server.Uri, Folder.File("copy")), (int)FailureKind.Source, server.Uri, "offset", "EIO", "NBD server");
        Assert.False(File.Exists(Folder.File("copy")));
    }

    [Fact]
    public async Task A_server_that_dies_midway_leaves_a_copy_that_goes_on()
    {
        string content = Folder.Write("content", SampleImage.Noise(3, Length));
        string copy = Folder.File("copy");
        using (NbdServerProcess server = NbdServerProcess.Nbdkit("--filter=rate", "file", content, "rate=40M"))
        {
            using DisksyncProcess push = DisksyncProcess.Start(["push", server.Uri, copy, "--state", State]);
            await UntilAsync(() => File.Exists(copy + ".partial") && new FileInfo(copy + ".partial").Length > 0);
            await Task.Delay(300);
            server.Kill();
            DisksyncResult cut = await push.WaitAsync();
            Assert.True(cut.ExitCode == (int)FailureKind.Source, cut.ToString());
            Assert.Contains("run the same command again", cut.Error, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(copy));
        using NbdServerProcess again = NbdServerProcess.Nbdkit("file", content);
        Assert.Equal(0, (await RunAsync("push", again.Uri, copy)).ExitCode);
        Tool.Run("diffutils", "cmp", content, copy);
    }

    [Theory]
    [InlineData("nbd://host:0/x")]
    [InlineData("nbd+unix:///x")]
    [InlineData("nbds://host/x?tls-verify-peer=0")]
    public async Task What_is_no_uri_is_refused_with_its_form(string uri)
    {
        AssertFailure(await RunAsync("map", uri), (int)FailureKind.Usage, "nbd+unix:///NAME?socket=/PATH");
        AssertFailure(await RunAsync("push", ImagePath, uri, "--inplace"), (int)FailureKind.Usage, "nbd+unix:///NAME?socket=/PATH");
    }

    [Fact]
    public async Task Nobody_there_is_told_with_the_uri()
    {
        string uri = $"nbd+unix:///?socket={Folder.File("none")}";
        AssertFailure(await RunAsync("map", uri), (int)FailureKind.Source, uri, "there is no socket");
        AssertFailure(await RunAsync("push", ImagePath, uri, "--inplace"), (int)FailureKind.Destination, uri, "there is no socket");
        AssertFailure(await RunAsync("export", uri, "--listen", $"unix:{Folder.File("s")}"), (int)FailureKind.Usage, "NBD export already");
    }

    private Task<DisksyncResult> RunAsync(params string[] arguments) =>
        DisksyncProcess.RunAsync(arguments, info => info.Environment["DISKSYNC_STATE"] = State);
}
