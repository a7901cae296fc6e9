using System.Collections.Concurrent;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Tracking;
using DiskSync.Linux;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;

namespace DiskSync.Engine.Exports;

/// <summary>An image as an NBD server serves it.</summary>
/// <remarks>Thread safe as the image is. The image stays its owner's.</remarks>
/// <param name="image">What is served.</param>
/// <param name="name">By which clients ask for it.</param>
/// <param name="isReadOnly">Whether every write is refused.</param>
/// <param name="dirty">What the block status "disksync:dirty" tells; null where writes are not tracked.</param>
public sealed class BlockDeviceExport(IBlockDevice image, string name, bool isReadOnly, DirtyMap? dirty = null) : INbdExport, IDisposable
{
    private const int Preferred = 4096;
    private const int BounceBytes = 1 << 20;
    private const int DirtyKind = 1;

    // The one flag of our own kind of status.
    private const uint IsDirty = 1;

    private static readonly IReadOnlyList<string> Kinds = ["base:allocation"];
    private static readonly IReadOnlyList<string> TrackedKinds = [.. Kinds, "disksync:dirty"];

    // For a device that wants aligned memory; as many as were ever needed at once.
    private readonly ConcurrentBag<AlignedBuffer> _bounces = [];

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public string Description => $"{image.Name}, served by disksync";

    /// <inheritdoc/>
    public long Length => image.Length;

    /// <inheritdoc/>
    public bool IsReadOnly => isReadOnly;

    /// <inheritdoc/>
    public int MinimumBlock => image.Alignment;

    /// <inheritdoc/>
    public int PreferredBlock => Math.Max(Preferred, image.Alignment);

    /// <inheritdoc/>
    public bool IsSharedByConnections => true;

    /// <inheritdoc/>
    public IReadOnlyList<string> StatusKinds => KindsOf(dirty is not null);

    /// <inheritdoc/>
    public bool MayWait(long offset, long length, bool isWrite) => image.MayWait(offset, length, isWrite);

    /// <inheritdoc/>
    public bool TryReadNow(long offset, Span<byte> buffer)
    {
        try
        {
            return image.TryReadNow(offset, buffer);
        }
        catch (ImageIOException exception)
        {
            throw Failed(exception);
        }
    }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer)
    {
        try
        {
            if (image.Alignment == 1)
            {
                image.Read(offset, buffer);
                return;
            }

            InPieces(offset, buffer.Length, buffer, static (image, from, piece, at, all) =>
            {
                image.Read(from, piece);
                piece.CopyTo(all[at..]);
            });
        }
        catch (ImageIOException exception)
        {
            throw Failed(exception);
        }
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        try
        {
            if (image.Alignment == 1)
            {
                image.Write(offset, data);
                return;
            }

            InPieces(offset, data.Length, data, static (image, to, piece, at, all) =>
            {
                all.Slice(at, piece.Length).CopyTo(piece);
                image.Write(to, piece);
            });
        }
        catch (ImageIOException exception)
        {
            throw Failed(exception);
        }
    }

    /// <inheritdoc/>
    public bool Zero(long offset, long length, bool mayPunch, bool fastOnly)
    {
        bool isDone = true;
        Do(() =>
        {
            // Of a device nobody knows beforehand whether zeros are fast.
            if (fastOnly)
            {
                isDone = image.TryZeroFast(offset, length, mayPunch);
            }
            else
            {
                image.Zero(offset, length, mayPunch);
            }
        });
        return isDone;
    }

    /// <inheritdoc/>
    public void Trim(long offset, long length) => Do(() => image.Discard(offset, length));

    /// <inheritdoc/>
    public void Cache(long offset, long length) => image.ReadAhead(offset, length);

    /// <inheritdoc/>
    public void Flush() => Do(image.Flush);

    /// <inheritdoc/>
    public IEnumerable<NbdExtent> Status(int kind, long offset, long length)
    {
        if (kind == DirtyKind)
        {
            foreach (DirtyExtent part in dirty!.Extents(offset, length))
            {
                yield return new(part.Length, part.IsDirty ? IsDirty : 0);
            }

            yield break;
        }

        foreach (Extent extent in image.Extents(offset, length))
        {
            yield return new(extent.Length, (uint)(extent.Kind switch
            {
                ExtentKind.Data => NbdExtentFlags.None,
                ExtentKind.Zero => NbdExtentFlags.Zero,
                _ => NbdExtentFlags.Hole | NbdExtentFlags.Zero,
            }));
        }
    }

    /// <summary>The kinds of block status that the export of an image has.</summary>
    internal static IReadOnlyList<string> KindsOf(bool isTracked) => isTracked ? TrackedKinds : Kinds;

    /// <summary>Frees what transfers needed. None may be under way.</summary>
    public void Dispose()
    {
        while (_bounces.TryTake(out AlignedBuffer? bounce))
        {
            ((IDisposable)bounce).Dispose();
        }
    }

    /// <summary>What a piece of aligned memory has to do with its part of a transfer.</summary>
    private delegate void Move<TAll>(IBlockDevice image, long offset, Span<byte> piece, int at, TAll all)
        where TAll : allows ref struct;

    private void InPieces<TAll>(long offset, int length, TAll all, Move<TAll> move)
        where TAll : allows ref struct
    {
        AlignedBuffer bounce = _bounces.TryTake(out AlignedBuffer? kept) ? kept : new AlignedBuffer(BounceBytes);
        try
        {
            for (int at = 0; at < length; at += BounceBytes)
            {
                move(image, offset + at, bounce.Span[..Math.Min(BounceBytes, length - at)], at, all);
            }
        }
        finally
        {
            _bounces.Add(bounce);
        }
    }

    private static void Do(Action action)
    {
        try
        {
            action();
        }
        catch (ImageIOException exception)
        {
            throw Failed(exception);
        }
    }

    private static NbdExportException Failed(ImageIOException exception) => new(
        exception.InnerException switch
        {
            LinuxException { IsFull: true } => NbdError.NoSpace,
            GateShutException => NbdError.NotPermitted,
            _ => NbdError.Io,
        },
        exception.Message,
        exception);
}
