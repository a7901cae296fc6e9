using System.Buffers;

namespace DiskSync.Engine.Comparison;

/// <summary>What a worker found out about a chunk: hashes of all blocks, content of the chunk where any changed.</summary>
/// <remarks>The content lies in rented arrays; whoever takes the piece gives them back with <see cref="Return"/>.</remarks>
internal sealed class DeltaPiece
{
    /// <summary>The runs, covering the chunk in order.</summary>
    public List<DeltaRun> Runs { get; } = [];

    /// <summary>The image's bytes from <see cref="Offset"/>, or empty where nothing changed.</summary>
    public ArraySegment<byte> Content { get; private set; } = ArraySegment<byte>.Empty;

    /// <summary>The base's bytes from <see cref="Offset"/>, or empty where nothing changed or nobody has them.</summary>
    public ArraySegment<byte> OldContent { get; private set; } = ArraySegment<byte>.Empty;

    /// <summary>Where the content begins in the image.</summary>
    public long Offset { get; private set; }

    /// <summary>Copies the content.</summary>
    public void Take(long offset, ReadOnlySpan<byte> content, ReadOnlySpan<byte> oldContent)
    {
        Offset = offset;
        Content = Rent(content);
        OldContent = Rent(oldContent);
    }

    /// <summary>Gives the arrays back.</summary>
    public void Return()
    {
        foreach (ArraySegment<byte> segment in (ReadOnlySpan<ArraySegment<byte>>)[Content, OldContent])
        {
            if (segment.Array is { Length: > 0 } array)
            {
                ArrayPool<byte>.Shared.Return(array);
            }
        }

        Content = ArraySegment<byte>.Empty;
        OldContent = ArraySegment<byte>.Empty;
    }

    private static ArraySegment<byte> Rent(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return ArraySegment<byte>.Empty;
        }

        byte[] array = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(array);
        return new ArraySegment<byte>(array, 0, bytes.Length);
    }
}
