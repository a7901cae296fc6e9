using DiskSync.Engine.Blocks;
using DiskSync.Engine.Tracking;

namespace DiskSync.Engine.Exports;

/// <summary>Has the writes to an image that arrives tracked from the first one on.</summary>
/// <param name="Since">What the block status "disksync:dirty" tells: everything that was written.</param>
/// <param name="Track">Called once, before the image is served, with the image and how it stands; gives the image whose writes are tracked.</param>
public sealed record IncomingTracking(DirtyMap Since, Func<IBlockDevice, IncomingStanding, IBlockDevice> Track);
