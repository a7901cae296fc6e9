using DiskSync.Formats.BlockMap;
using DiskSync.Linux;
using DiskSync.Nbd.Client;

namespace DiskSync.Engine.Tail;

/// <summary>Brings the block map of a source's frozen image here.</summary>
internal static class TailHashesDownload
{
    private const int PieceBytes = 1 << 20;

    // No record takes more for a block than a kind, a count and a hash; header, end and trailer come once.
    private const int MostForBlock = 41;
    private const int MostForRest = 256;

    /// <summary>Reads all of it into a file, which has its name when it is whole and durable.</summary>
    /// <param name="source">Serves the map as a file; stays the caller's.</param>
    /// <param name="geometry">The image's.</param>
    /// <param name="path">Where to.</param>
    /// <exception cref="IOException">It is longer than a map of this image can be, or it cannot be written.</exception>
    /// <exception cref="NbdConnectionException">The connection was lost.</exception>
    public static void Run(NbdClient source, BlockGeometry geometry, string path)
    {
        if (source.Export.Length > (geometry.BlockCount * MostForBlock) + MostForRest)
        {
            throw new IOException($"the source offers a map of {source.Export.Length} bytes, which no map of {geometry.BlockCount} blocks has");
        }

        string fresh = path + ".new";
        byte[] piece = new byte[PieceBytes];
        using (FileStream file = new(fresh, FileMode.Create, FileAccess.Write, FileShare.None, 0))
        {
            for (long at = 0; at < source.Export.Length; at += piece.Length)
            {
                int length = (int)Math.Min(piece.Length, source.Export.Length - at);
                source.Read(at, piece.AsSpan(0, length));
                file.Write(piece, 0, length);
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(fresh, path, overwrite: true);
        FileSystemCalls.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
