namespace DiskSync.Linux;

/// <summary>What posix_fadvise(2) can be told.</summary>
public enum FileAdvice
{
    /// <summary>No advice.</summary>
    Normal = 0,

    /// <summary>Reads jump about: read nothing ahead.</summary>
    Random = 1,

    /// <summary>Reads go forward: read more ahead.</summary>
    Sequential = 2,

    /// <summary>The range will be read soon: start now.</summary>
    WillNeed = 3,

    /// <summary>The range will not be read soon: drop its clean pages.</summary>
    DontNeed = 4,

    /// <summary>The range will be read once.</summary>
    NoReuse = 5,
}
