namespace DiskSync.TestSupport.PowerCuts;

/// <summary>A change to a simulated file.</summary>
/// <param name="Offset">Where, or the new length where there is no data.</param>
/// <param name="Data">What; null where the length was set.</param>
internal sealed record FileWrite(long Offset, byte[]? Data);
