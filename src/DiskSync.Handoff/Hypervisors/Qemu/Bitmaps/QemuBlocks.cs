using System.Text.Json;
using System.Text.Json.Nodes;

namespace DiskSync.Handoff.Hypervisors.Qemu.Bitmaps;

/// <summary>The block commands of QEMU's that bitmaps need, and what is called ours among its things.</summary>
/// <remarks>Everything of ours in a QEMU has a name that begins with <see cref="Prefix"/>, so that a later process finds it after a kill.</remarks>
internal sealed class QemuBlocks(QmpClient client)
{
    public const string Prefix = "disksync-";
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);

    public async Task<IReadOnlyList<QemuNode>> NodesAsync(CancellationToken cancellationToken)
    {
        JsonElement all = await client.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true }, cancellationToken);
        return [.. all.EnumerateArray().Select(NodeOf)];
    }

    public async Task<QemuNode?> NodeAsync(string name, CancellationToken cancellationToken) =>
        (await NodesAsync(cancellationToken)).FirstOrDefault(n => n.Name == name);

    /// <summary>Whether the machine is stopped.</summary>
    public async Task<bool> StandsStillAsync(CancellationToken cancellationToken)
    {
        JsonElement status = await client.ExecuteAsync("query-status", null, cancellationToken);
        return status.TryGetProperty("running", out JsonElement running) && running.ValueKind == JsonValueKind.False;
    }

    public Task AddBitmapAsync(string node, string name, int granularity, CancellationToken cancellationToken) =>
        client.ExecuteAsync("block-dirty-bitmap-add", Add(node, name, granularity), cancellationToken);

    /// <summary>From one moment on, between two writes, writes are recorded in the new bitmap and not in the old one.</summary>
    public Task SwapAsync(string node, string from, string to, int granularity, CancellationToken cancellationToken) => client.ExecuteAsync(
        "transaction",
        new JsonObject
        {
            ["actions"] = new JsonArray(
                new JsonObject { ["type"] = "block-dirty-bitmap-add", ["data"] = Add(node, to, granularity) },
                new JsonObject { ["type"] = "block-dirty-bitmap-disable", ["data"] = Bitmap(node, from) }),
        },
        cancellationToken);

    public Task RemoveBitmapAsync(string node, string name, CancellationToken cancellationToken) =>
        client.ExecuteAsync("block-dirty-bitmap-remove", Bitmap(node, name), cancellationToken);

    public Task StartServerAsync(string socket, CancellationToken cancellationToken) => client.ExecuteAsync(
        "nbd-server-start",
        new JsonObject { ["addr"] = new JsonObject { ["type"] = "unix", ["data"] = new JsonObject { ["path"] = socket } } },
        cancellationToken);

    public Task StopServerAsync(CancellationToken cancellationToken) => client.ExecuteAsync("nbd-server-stop", null, cancellationToken);

    public Task ExportAsync(string id, string node, string bitmap, CancellationToken cancellationToken) => client.ExecuteAsync(
        "block-export-add",
        new JsonObject
        {
            ["type"] = "nbd",
            ["id"] = id,
            ["node-name"] = node,
            ["name"] = id,
            ["bitmaps"] = new JsonArray(bitmap),
        },
        cancellationToken);

    public async Task<IReadOnlyList<string>> ExportsAsync(CancellationToken cancellationToken)
    {
        JsonElement all = await client.ExecuteAsync("query-block-exports", null, cancellationToken);
        return [.. all.EnumerateArray().Select(e => QmpFields.Text(e, "id"))];
    }

    /// <summary>Ends an export with whoever uses it, and waits until QEMU has let go of it.</summary>
    public async Task EndExportAsync(string id, CancellationToken cancellationToken)
    {
        await client.ExecuteAsync("block-export-del", new JsonObject { ["id"] = id, ["mode"] = "hard" }, cancellationToken);
        while ((await ExportsAsync(cancellationToken)).Contains(id, StringComparer.Ordinal))
        {
            await Task.Delay(Poll, cancellationToken);
        }
    }

    private static JsonObject Bitmap(string node, string name) => new() { ["node"] = node, ["name"] = name };

    private static JsonObject Add(string node, string name, int granularity)
    {
        JsonObject data = Bitmap(node, name);
        data["granularity"] = granularity;
        return data;
    }

    private static QemuNode NodeOf(JsonElement node)
    {
        JsonElement image = node.TryGetProperty("image", out JsonElement found) ? found : default;
        return new QemuNode(
            QmpFields.Text(node, "node-name"),
            QmpFields.Text(node, "drv"),
            QmpFields.Text(image, "filename"),
            image.ValueKind == JsonValueKind.Object && image.TryGetProperty("virtual-size", out JsonElement size) && size.TryGetInt64(out long length) ? length : -1,
            node.TryGetProperty("dirty-bitmaps", out JsonElement bitmaps) && bitmaps.ValueKind == JsonValueKind.Array
                ? [.. bitmaps.EnumerateArray().Select(b => new QemuBitmap(
                    QmpFields.Text(b, "name"),
                    b.TryGetProperty("count", out JsonElement count) && count.TryGetInt64(out long dirty) ? dirty : 0,
                    Flag(b, "recording"),
                    Flag(b, "inconsistent")))]
                : []);
    }

    private static bool Flag(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;
}
