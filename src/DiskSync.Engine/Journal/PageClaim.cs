namespace DiskSync.Engine.Journal;

/// <summary>Neighbouring map pages whose hashes are claimed to be what the image holds, durably.</summary>
/// <param name="FirstPage">The first page; a page is 256 blocks.</param>
/// <param name="PageCount">How many.</param>
/// <param name="ReadBack">Whether all of their blocks have been read back from the medium since they were last written.</param>
public readonly record struct PageClaim(long FirstPage, long PageCount, bool ReadBack);
