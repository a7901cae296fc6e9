namespace DiskSync.Nbd.Client;

/// <summary>What one connection and the server have agreed on.</summary>
/// <param name="Stream">Over which; with TLS where that was asked for.</param>
/// <param name="Export">What is served.</param>
/// <param name="Kinds">The numbers that this connection knows kinds of block status by.</param>
internal sealed record NbdClientAgreement(Stream Stream, NbdExportInfo Export, IReadOnlyDictionary<string, uint> Kinds);
