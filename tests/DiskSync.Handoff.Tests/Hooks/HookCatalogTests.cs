using DiskSync.Engine;
using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Tests.Hooks;

public class HookCatalogTests
{
    [Fact]
    public void What_the_journal_kept_as_a_hook_is_never_run_as_a_command()
    {
        string hook = new HookCatalog(["start=virsh start web"], allowCommands: true).Record("start");
        string command = new HookCatalog([], allowCommands: true).Record("hook:start");
        Assert.Equal("virsh start web", new HookCatalog(["start=virsh start web"], allowCommands: false).ResolveRecorded(hook));
        Assert.Contains("start", Assert.Throws<DiskSyncException>(() => new HookCatalog([], allowCommands: true).ResolveRecorded(hook)).Message, StringComparison.Ordinal);
        Assert.Equal("hook:start", new HookCatalog(["start=x"], allowCommands: true).ResolveRecorded(command));
        Assert.Throws<DiskSyncException>(() => new HookCatalog(["start=x"], allowCommands: false).ResolveRecorded(command));
        Assert.Equal(string.Empty, HookCatalog.Empty.ResolveRecorded(HookCatalog.Empty.Record(string.Empty)));
        Assert.Throws<DiskSyncException>(() => new HookCatalog([], allowCommands: true).Record(new string('x', 4001)));
    }

    [Fact]
    public void A_name_stands_for_the_configured_command_whatever_else_is_allowed()
    {
        Assert.Equal("virsh resume vm=1", new HookCatalog(["up=virsh resume vm=1"], allowCommands: false).Resolve("up"));
        Assert.Equal("virsh resume vm", new HookCatalog(["up=virsh resume vm"], allowCommands: true).Resolve("up"));
        Assert.Equal(string.Empty, HookCatalog.Empty.Resolve(string.Empty));
    }

    [Fact]
    public void A_command_is_run_only_where_commands_are_allowed()
    {
        Assert.Equal("rm -rf x", new HookCatalog([], allowCommands: true).Resolve("rm -rf x"));

        DiskSyncException e = Assert.Throws<DiskSyncException>(
            () => new HookCatalog(["up=a", "check=b"], allowCommands: false).Resolve("rm -rf x"));
        Assert.Equal(FailureKind.Preflight, e.Kind);
        Assert.Contains("check, up", e.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_peers_text_cannot_write_control_characters_into_a_message()
    {
        DiskSyncException e = Assert.Throws<DiskSyncException>(() => HookCatalog.Empty.Resolve("a\u001b[2J\nb" + new string('x', 500)));
        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.True(e.Message.Length < 200);
    }

    [Theory]
    [InlineData("up")]
    [InlineData("=cmd")]
    [InlineData("up=")]
    [InlineData("u p=cmd")]
    [InlineData("../up=cmd")]
    public void A_definition_that_is_not_name_and_command_is_a_usage_error(string definition) =>
        Assert.Equal(FailureKind.Usage, Assert.Throws<DiskSyncException>(() => new HookCatalog([definition], false)).Kind);

    [Fact]
    public void A_name_that_is_given_twice_is_a_usage_error() =>
        Assert.Equal(FailureKind.Usage, Assert.Throws<DiskSyncException>(() => new HookCatalog(["a=1", "a=2"], false)).Kind);
}
