namespace DiskSync.Formats.ExportControl;

/// <summary>Asks an export to lend its image to a migration; the first message of a connection, answered by <see cref="Lent"/>.</summary>
/// <param name="Borrower">Who asks and for what, for messages.</param>
public sealed record LendRequest(string Borrower) : ControlMessage;
