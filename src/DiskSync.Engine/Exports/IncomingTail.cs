using DiskSync.Engine.Tail;
using DiskSync.Formats.Tail;

namespace DiskSync.Engine.Exports;

/// <summary>What an export needs of an image that this host owns though parts of it are still at its source (docs/tail.md).</summary>
/// <param name="Epoch">The epoch that is owned.</param>
/// <param name="Files">What stands beside the image; stays whose it is.</param>
/// <param name="Seal">Where it came from.</param>
/// <param name="Map">Which of its parts are there; stays whose it is.</param>
/// <param name="Completion">To be told when nothing is missing any more.</param>
public sealed record IncomingTail(ulong Epoch, TailFiles Files, TailSealRecord Seal, PresenceMap Map, ITailCompletion Completion);
