namespace DiskSync.Formats.ExportControl;

/// <summary>Asks for the fence: new writes are held, those under way drained; answered by <see cref="Fenced"/>.</summary>
/// <param name="PatienceMs">The longest that writes under way may take, in milliseconds.</param>
public sealed record FenceWrites(uint PatienceMs) : ControlMessage;
