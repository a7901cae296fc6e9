namespace DiskSync.Handoff.Ownership;

/// <summary>The part that this host plays for one image in one attempt.</summary>
/// <remarks>
/// Both parts can stand in one journal: a migration between two folders of one host is both its source and its
/// destination, under two image identities and one attempt.
/// </remarks>
public enum AttemptRole
{
    /// <summary>None: the image was adopted, or taken by the operator's word.</summary>
    None = 0,

    /// <summary>S: the attempt began here with a Paused entry.</summary>
    Source = 1,

    /// <summary>D: the attempt began here with a Prepared entry.</summary>
    Destination = 2,
}
