using System.Text.Json;
using System.Text.Json.Nodes;
using DiskSync.Engine;
using DiskSync.Handoff.Hypervisors.Qemu.Bitmaps;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>The commands of QEMU's that a move needs, over one connection.</summary>
/// <remarks>Not thread safe. All of it throws <see cref="QmpCommandException"/> and <see cref="QmpConnectionException"/>.</remarks>
internal sealed class QemuMonitor : IDisposable
{
    private readonly QmpClient _client;

    private QemuMonitor(QmpClient client) => _client = client;

    public string Path => _client.Path;

    public static async Task<QemuMonitor> OpenAsync(Side side, string path, TimeSpan patience, CancellationToken cancellationToken) =>
        new(await QmpClient.ConnectAsync(side, path, patience, cancellationToken));

    /// <summary>QEMU's word for how the machine is: running, paused, inmigrate, finish-migrate, postmigrate and others.</summary>
    public async Task<string> StatusAsync(CancellationToken cancellationToken)
    {
        JsonElement answer = await _client.ExecuteAsync("query-status", null, cancellationToken);
        return answer.TryGetProperty("status", out JsonElement status) ? status.ToString() : string.Empty;
    }

    public async Task<QemuMigration> MigrationAsync(CancellationToken cancellationToken) =>
        QemuMigration.Of(await _client.ExecuteAsync("query-migrate", null, cancellationToken));

    public Task StopAsync(CancellationToken cancellationToken) => _client.ExecuteAsync("stop", null, cancellationToken);

    public Task ContinueAsync(CancellationToken cancellationToken) => _client.ExecuteAsync("cont", null, cancellationToken);

    public async Task<bool> HasCapabilityAsync(string name, CancellationToken cancellationToken)
    {
        JsonElement all = await _client.ExecuteAsync("query-migrate-capabilities", null, cancellationToken);
        return all.ValueKind == JsonValueKind.Array && all.EnumerateArray().Any(c =>
            c.TryGetProperty("capability", out JsonElement found) && found.ValueEquals(name));
    }

    public Task SetCapabilityAsync(string name, bool on, CancellationToken cancellationToken) => _client.ExecuteAsync(
        "migrate-set-capabilities",
        new JsonObject { ["capabilities"] = new JsonArray(new JsonObject { ["capability"] = name, ["state"] = on }) },
        cancellationToken);

    public Task MigrateAsync(string uri, CancellationToken cancellationToken) =>
        _client.ExecuteAsync("migrate", new JsonObject { ["uri"] = uri }, cancellationToken);

    public Task ContinueMigrationAsync(string from, CancellationToken cancellationToken) =>
        _client.ExecuteAsync("migrate-continue", new JsonObject { ["state"] = from }, cancellationToken);

    public Task CancelMigrationAsync(CancellationToken cancellationToken) =>
        _client.ExecuteAsync("migrate_cancel", null, cancellationToken);

    /// <summary>Waits until something has happened, but not for long.</summary>
    /// <returns>Whether the machine was stopped since the last call.</returns>
    public async Task<bool> WaitAsync(TimeSpan most, CancellationToken cancellationToken) =>
        (await _client.WaitForEventsAsync(most, cancellationToken)).Any(e => e.Name == "STOP");

    /// <summary>Takes away what a disksync that was killed has left in this QEMU.</summary>
    public Task RemoveLeftOversAsync(CancellationToken cancellationToken) => QemuLeftOvers.RemoveAsync(_client, cancellationToken);

    public void Dispose() => _client.Dispose();
}
