namespace DiskSync.Handoff.Ownership;

/// <summary>Looks at what stands beside an image.</summary>
public interface IImageWitness
{
    /// <summary>Reads the seal and the ceded names.</summary>
    /// <param name="image">The image's identity.</param>
    ImageWitness Look(string image);
}
