namespace DiskSync.Nbd.Server;

/// <summary>What a client and the server have agreed on.</summary>
/// <param name="Export">What is served.</param>
/// <param name="Stream">Over which; with TLS where that was asked for.</param>
/// <param name="IsStructured">Whether replies come in chunks.</param>
/// <param name="StatusKinds">Indices of <see cref="INbdExport.StatusKinds"/> that were chosen; their numbers on the wire are one more.</param>
internal sealed record NbdAgreement(INbdExport Export, Stream Stream, bool IsStructured, int[] StatusKinds);
