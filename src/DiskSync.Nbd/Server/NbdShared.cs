namespace DiskSync.Nbd.Server;

/// <summary>What all connections of a server share.</summary>
/// <param name="Workers">Who does what may have to wait for a medium.</param>
/// <param name="Bytes">How many bytes of requests may be under way.</param>
/// <param name="Buffers">Where they lie.</param>
internal sealed record NbdShared(NbdWorkers Workers, NbdBudget Bytes, NbdBuffers Buffers);
