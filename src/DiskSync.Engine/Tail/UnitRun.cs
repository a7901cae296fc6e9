namespace DiskSync.Engine.Tail;

/// <summary>Units in a row that one request fetches.</summary>
/// <param name="First">The first unit.</param>
/// <param name="Fetches">One for each unit.</param>
internal sealed record UnitRun(long First, UnitFetch[] Fetches);
