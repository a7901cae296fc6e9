namespace DiskSync.Handoff.Ownership;

/// <summary>Reads and writes seals (safety rule 7).</summary>
public interface ISealFiles
{
    /// <summary>Reads an image's seal.</summary>
    /// <param name="image">The image's path; the seal stands beside it.</param>
    /// <returns>The epoch that it was sealed at, 0 for a plain copy; null where there is no seal.</returns>
    /// <exception cref="InvalidDataException">There is a seal and it cannot be read.</exception>
    ulong? ReadEpoch(string image);
}
