namespace DiskSync.Nbd.Client;

/// <summary>An export as a server lists it.</summary>
/// <param name="Name">By which it is asked for.</param>
/// <param name="Description">The server's text for humans, or nothing; without control characters.</param>
public sealed record NbdExportEntry(string Name, string Description);
