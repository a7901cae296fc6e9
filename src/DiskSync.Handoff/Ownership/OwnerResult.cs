namespace DiskSync.Handoff.Ownership;

/// <summary>What <c>disksync owner</c> did, and how things stand after it.</summary>
/// <param name="Report">How the image stands now.</param>
/// <param name="Message">What was done, a sentence or two for people; empty where nothing was.</param>
/// <param name="Resolved">False where it is still in doubt who may write, or a guest could not be started.</param>
public sealed record OwnerResult(OwnerReport Report, string Message, bool Resolved);
