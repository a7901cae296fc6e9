namespace DiskSync.Engine.Tests;

/// <summary>Tests that measure the process and therefore run when no other does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public class AloneTests
{
    /// <summary>The collection's name.</summary>
    public const string Name = "alone";
}
