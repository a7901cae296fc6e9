namespace DiskSync.Engine.Blocks;

/// <summary>An image could not be read, written, zeroed or flushed.</summary>
public sealed class ImageIOException : DiskSyncException
{
    /// <summary>Describes a failed operation on an image.</summary>
    /// <param name="side">The side that the image is on.</param>
    /// <param name="image">The image as its user named it.</param>
    /// <param name="offset">The byte offset, or -1 where the failure has none (a flush).</param>
    /// <param name="operation">What was tried, as a verb: "read", "write", "flush".</param>
    /// <param name="reason">Why it failed, usually the operating system's words.</param>
    /// <param name="advice">What to do next.</param>
    /// <param name="inner">The cause.</param>
    public ImageIOException(
        Side side, string image, long offset, string operation, string reason, string advice, Exception? inner = null)
        : base(
            side == Side.Source ? FailureKind.Source : FailureKind.Destination,
            $"{(side == Side.Source ? "source" : "destination")} {image}: cannot {operation}"
                + (offset >= 0 ? $" at offset {offset}" : string.Empty) + $": {reason}",
            advice,
            inner)
    {
        Image = image;
        Offset = offset;
    }

    /// <summary>The image as its user named it.</summary>
    public string Image { get; }

    /// <summary>The byte offset, or -1.</summary>
    public long Offset { get; }
}
