using DiskSync.Engine;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Targets;
using DiskSync.Linux;

namespace DiskSync.Handoff.Ownership;

/// <summary>Image files: NAME becomes NAME.ceded-EPOCH and back, each time with its folder flushed.</summary>
/// <remarks>
/// Images are identities, which are real paths: renaming a symbolic link would leave the file usable under its own name.
/// Thread safe as far as callers keep to one attempt per image. A process that has the file open keeps it: what
/// this keeps away is everybody who opens it by its name from now on.
/// </remarks>
public sealed class FileSourceImages : ISourceImages
{
    private readonly Side _side;

    /// <summary>Makes errors speak of the given side.</summary>
    public FileSourceImages(Side side = Side.Source) => _side = side;

    /// <summary>The name that an image has while it is ceded.</summary>
    /// <param name="image">The image's path.</param>
    /// <param name="epoch">The epoch that was ceded.</param>
    public static string CededName(string image, ulong epoch) => NumberedNames.Ceded.NameOf(image, epoch);

    /// <inheritdoc/>
    public Task MakeUnusableAsync(string image, ulong epoch, ulong incomplete = 0)
    {
        // One that was whole, and was killed before its record said so, may have got its own name already.
        string name = TailFiles.IncompleteName(image, incomplete);
        bool isIncomplete = incomplete > 0 && FileStat.IfExists(name, followLinks: false) is not null;
        return MoveAsync(image, isIncomplete ? name : image, CededName(image, epoch), "make unusable");
    }

    /// <inheritdoc/>
    public async Task MakeUsableAsync(string image, ulong epoch)
    {
        await MoveAsync(image, CededName(image, epoch), image, "make usable again");
        CededBase.Remove(CededName(image, epoch));
    }

    private Task MoveAsync(string image, string from, string to, string operation)
    {
        try
        {
            bool isFrom = IsThere(from, operation);
            bool isTo = IsThere(to, operation);
            if (isFrom && isTo && FileStat.Of(from).IsSameFileAs(FileStat.Of(to)))
            {
                // A rename by link and unlink (NFS) was cut off between the two; and rename() of one file to itself does nothing.
                FileSystemCalls.Unlink(from);
            }
            else if (isFrom == isTo)
            {
                throw new DiskSyncException(
                    FailureKind.OwnershipInDoubt,
                    $"{(_side == Side.Source ? "source" : "destination")} {image}: cannot {operation}: "
                        + (isFrom ? $"both {from} and {to} exist" : $"neither {from} nor {to} exists"),
                    isFrom ? "One of the two is not what DiskSync left here: move that one away." : "Put the file back under one of the two names.");
            }
            else if (isFrom)
            {
                FileSystemCalls.RenameNoReplace(from, to);
            }

            // Also where the rename was found done: the crash that interrupted us may have come before the flush.
            FileSystemCalls.SyncDirectory(Path.GetDirectoryName(image) ?? "/");
            return Task.CompletedTask;
        }
        catch (IOException e)
        {
            throw new DiskSync.Engine.Blocks.ImageIOException(
                _side, image, -1, operation, e.Message, $"Check that this user may write in {Path.GetDirectoryName(image)}.", e);
        }
    }

    private bool IsThere(string path, string operation) => FileStat.IfExists(path, followLinks: false) switch
    {
        null => false,
        { Kind: FileKind.Regular } => true,

        // Identities are real paths, so somebody has put it here since; renaming it would fence nothing.
        _ => throw new DiskSyncException(
            FailureKind.OwnershipInDoubt,
            $"{(_side == Side.Source ? "source" : "destination")} {path}: cannot {operation}: it is not a regular file any more",
            "Find out what has replaced the image, and put the image back."),
    };
}
