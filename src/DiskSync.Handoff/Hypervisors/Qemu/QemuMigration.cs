using System.Text.Json;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>How a QEMU's migration stands, from query-migrate.</summary>
/// <param name="Status">QEMU's word: none, setup, active, pre-switchover, device, completed, failed, cancelling, cancelled and others.</param>
/// <param name="Problem">Why it failed; empty where QEMU does not say.</param>
/// <param name="Total">Bytes of memory; 0 where nothing has begun.</param>
/// <param name="Remaining">Bytes left to send.</param>
/// <param name="Sent">Bytes sent.</param>
/// <param name="DirtyRate">Bytes a second that the guest changed when QEMU looked last; 0 where it does not say.</param>
/// <param name="LinkRate">Bytes a second that went to the destination.</param>
/// <param name="Blockers">What in this machine cannot be migrated.</param>
internal sealed record QemuMigration(
    string Status,
    string Problem,
    long Total,
    long Remaining,
    long Sent,
    double DirtyRate,
    double LinkRate,
    IReadOnlyList<string> Blockers)
{
    /// <summary>It has begun and not ended.</summary>
    public bool IsUnderWay => Status is not ("none" or "completed" or "failed" or "cancelled" or "colo");

    public static QemuMigration Of(JsonElement answer)
    {
        JsonElement ram = answer.TryGetProperty("ram", out JsonElement found) ? found : default;
        return new QemuMigration(
            QmpFields.Text(answer, "status") is { Length: > 0 } status ? status : "none",
            QmpFields.Text(answer, "error-desc"),
            Whole(ram, "total"),
            Whole(ram, "remaining"),
            Whole(ram, "transferred"),
            Number(ram, "dirty-pages-rate") * Number(ram, "page-size"),
            Number(ram, "mbps") * 1e6 / 8,
            answer.TryGetProperty("blocked-reasons", out JsonElement reasons) && reasons.ValueKind == JsonValueKind.Array
                ? [.. reasons.EnumerateArray().Take(8).Select(r => r.ToString())]
                : []);
    }

    private static long Whole(JsonElement parent, string name) => (long)Math.Clamp(Number(parent, name), 0, 1L << 62);

    private static double Number(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) ? number : 0;
}
