namespace DiskSync.Linux;

/// <summary>A device's number; not stable over restarts.</summary>
/// <param name="Major">The driver.</param>
/// <param name="Minor">The device of that driver.</param>
public readonly record struct DeviceNumber(uint Major, uint Minor)
{
    /// <summary>The number as /proc and /sys write it: "7:3".</summary>
    public override string ToString() => $"{Major}:{Minor}";
}
