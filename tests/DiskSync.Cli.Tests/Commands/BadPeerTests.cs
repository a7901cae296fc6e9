using System.Net.Sockets;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>Other ends that are not there, are something else, or ask for what they may not have: exit codes 5 and 6.</summary>
public sealed class BadPeerTests : ImageFiles
{
    [Fact]
    public async Task A_receiver_that_is_not_there_is_told_with_the_command_that_starts_it()
    {
        string socket = Folder.File("s");
        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, $"unix:{socket}:vm.img"), 5, "there is no such socket", $"disksync receive --listen unix:{socket}");

        // Bound and not listened on: to who connects that is what a killed receiver leaves.
        using Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(socket));
        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, $"unix:{socket}:vm.img"), 5, "Connection refused", $"disksync receive --listen unix:{socket}");
    }

    [Theory]
    [InlineData("", "lost")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("DiskSync\u0002\0\0\0\0\0\0\0", "version")]
    public async Task A_receiver_that_closes_or_speaks_something_else_is_named(string words, string said)
    {
        string path = Folder.File("s");
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        Task<DisksyncResult> push = DisksyncProcess.RunAsync("push", ImagePath, $"unix:{path}:vm.img");
        using (Socket peer = await listener.AcceptAsync())
        {
            await peer.SendAsync(System.Text.Encoding.Latin1.GetBytes(words));
            if (words.Length > 0)
            {
                await push;
            }
        }

        AssertFailure(await push, 5, $"unix:{path}", said);
    }

    [Theory]
    [InlineData("exit 3", "exit code 3")]
    [InlineData("echo 'Permission denied (publickey).' >&2; exit 255", "Permission denied (publickey).")]
    [InlineData("echo welcome to this host", "welcome to this host")]
    public async Task A_remote_shell_that_fails_is_told_in_its_own_words(string script, string said)
    {
        string shell = Folder.Write("shell", System.Text.Encoding.ASCII.GetBytes($"#!/bin/sh\n{script}\n"));
        File.SetUnixFileMode(shell, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        DisksyncResult run = await DisksyncProcess.RunAsync("push", ImagePath, "host:/srv/vm.img", "--rsh", shell);

        AssertFailure(run, 5, "host", said);
    }

    [Fact]
    public async Task A_remote_shell_that_does_not_exist_is_told_with_the_option_that_names_another() => AssertFailure(
        await DisksyncProcess.RunAsync("push", ImagePath, "host:/srv/vm.img", "--rsh", "/nowhere/ssh"), 5, "/nowhere/ssh", "--rsh");

    [Theory]
    [InlineData("../vm.img")]
    [InlineData("/etc/vm.img")]
    [InlineData("a/../../vm.img")]
    [InlineData("link/vm.img")]
    [InlineData("link.img")]
    [InlineData("vm.img.seal")]
    public async Task A_name_that_leaves_the_receivers_root_is_refused_and_nothing_appears_outside(string name)
    {
        string root = Directory.CreateDirectory(Folder.File("root")).FullName;
        string outside = Directory.CreateDirectory(Folder.File("outside")).FullName;
        File.CreateSymbolicLink(root + "/link", "../outside");
        File.CreateSymbolicLink(root + "/link.img", "../outside/vm.img");
        using ReceiverProcess receiver = await ReceiverProcess.StartAsync(Folder.File("s"), root);

        AssertFailure(await DisksyncProcess.RunAsync("push", ImagePath, receiver.Name(name)), 6, name, root, "hoose the image's own name");
        AssertFailure(await DisksyncProcess.RunAsync("migrate", ImagePath, receiver.Name(name), "--state", Folder.File("state")), 6, name);

        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Equal(2, Directory.GetFileSystemEntries(root).Length);
        Assert.False(File.Exists(Folder.File("vm.img")));
        Assert.Equal(Now, File.ReadAllBytes(ImagePath));
    }

    [Theory]
    [InlineData("hello, are you there?\n", "hello, are you there?")]
    [InlineData("", "closed")]
    public async Task A_source_that_is_none_is_named_by_the_receiver(string words, string said)
    {
        using DisksyncProcess receiver = DisksyncProcess.Start(["receive", "--stdio", "--root", Folder.Path]);
        await receiver.Process.StandardInput.WriteAsync(words);

        DisksyncResult run = await receiver.WaitAsync();

        Assert.Equal(5, run.ExitCode);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.StartsWith("DiskSync", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_receivers_on_one_socket_are_refused()
    {
        using ReceiverProcess first = await ReceiverProcess.StartAsync(Folder.File("s"), Folder.Path);
        AssertFailure(
            await DisksyncProcess.RunAsync("receive", "--listen", $"unix:{first.Socket}", "--root", Folder.Path), 6, "somebody listens", "choose another path");

        DisksyncResult push = await DisksyncProcess.RunAsync("push", ImagePath, first.Name("vm.img"));
        Assert.True(push.ExitCode == 0, push.ToString());
    }
}
