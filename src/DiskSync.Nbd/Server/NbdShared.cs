namespace DiskSync.Nbd.Server;

/// <summary>What all connections of a server share.</summary>
/// <param name="Workers">Who does what may have to wait for a medium.</param>
/// <param name="Waiters">Who does what may have to wait for another host.</param>
/// <param name="Bytes">How many bytes of requests may be under way.</param>
/// <param name="Buffers">Where they lie.</param>
internal sealed record NbdShared(NbdWorkers Workers, NbdWaiters Waiters, NbdBudget Bytes, NbdBuffers Buffers);
