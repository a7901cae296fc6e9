namespace DiskSync.TestSupport.PowerCuts;

/// <summary>A write to a simulated image.</summary>
/// <param name="Offset">Where.</param>
/// <param name="Length">How many bytes.</param>
/// <param name="Data">What; null where zeros were punched.</param>
internal sealed record ImageWrite(long Offset, long Length, byte[]? Data);
