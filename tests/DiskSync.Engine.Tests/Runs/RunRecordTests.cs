using System.Text.Json;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Runs;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Runs;

public sealed class RunRecordTests
{
    [Fact]
    public void A_run_is_listed_as_it_was_registered_and_its_file_has_every_property()
    {
        using TempFolder folder = new();
        RunRegistry registry = new(folder.Path);
        using Run run = registry.Register(
            "push", ["/srv/\u00fcber \"1\".img", "/b.img"], "host:/x", new RateLimiter(12345), NoProgress.Instance);
        RunRecord listed = Assert.Single(registry.List());
        Assert.Equal(run.Id, listed.Id);
        Assert.Equal(("push", "host:/x", 12345L), (listed.Command, listed.Destination, listed.LimitBytesPerSecond));
        Assert.Equal(["/srv/\u00fcber \"1\".img", "/b.img"], listed.Images);
        Assert.Equal(Environment.ProcessId, listed.Pid);
        Assert.True(RunRegistry.IsAlive(listed));
        Assert.InRange(DateTimeOffset.UtcNow - listed.StartedAt, TimeSpan.Zero, TimeSpan.FromMinutes(5));

        JsonElement file = JsonDocument.Parse(File.ReadAllBytes(folder.File($"runs/{run.Id}.json"))).RootElement;
        Assert.Equal(
            typeof(RunRecord).GetProperties().Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name)).Order(),
            file.EnumerateObject().Select(p => p.Name).Order());
    }
}
