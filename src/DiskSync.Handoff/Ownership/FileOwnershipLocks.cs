using System.Text;
using DiskSync.Codecs;
using DiskSync.Engine;

namespace DiskSync.Handoff.Ownership;

/// <summary>Lock files under STATE/locks, two for an image, held by flock for as long as their process lives.</summary>
/// <remarks>Thread safe. The files are empty and stay behind: removing one would let two processes lock two files of one name.</remarks>
public sealed class FileOwnershipLocks : IOwnershipLocks
{
    private const string Moving = ".lock";
    private const string Serving = ".export";

    private readonly string _folder;

    /// <summary>Names the folder; touches nothing yet.</summary>
    /// <param name="stateFolder">STATE.</param>
    public FileOwnershipLocks(string stateFolder) => _folder = Path.Combine(Path.GetFullPath(stateFolder), "locks");

    /// <inheritdoc/>
    /// <exception cref="DiskSyncException">The folder or a lock file cannot be made.</exception>
    public IDisposable? TryAcquire(IReadOnlyList<string> images, bool besideExports = false)
    {
        ArgumentNullException.ThrowIfNull(images);
        IDisposable? held = TryTake(images, Moving);
        if (held is not null && !besideExports && images.Any(IsServed))
        {
            held.Dispose();
            return null;
        }

        return held;
    }

    /// <inheritdoc/>
    /// <exception cref="DiskSyncException">The folder or the lock file cannot be made.</exception>
    public IDisposable? TryServe(string image) => TryTake([image], Serving);

    /// <inheritdoc/>
    /// <exception cref="DiskSyncException">The folder or the lock file cannot be made.</exception>
    public bool IsServed(string image)
    {
        // Taken for a moment. Who tries it without the moving lock (IncomingImage) tries again.
        using IDisposable? free = TryTake([image], Serving);
        return free is null;
    }

    private Held? TryTake(IReadOnlyList<string> images, string suffix)
    {
        Held held = new();
        try
        {
            Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (string path in images.Select(i => FileOf(i, suffix)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                if (TryOpen(path) is not { } file)
                {
                    held.Dispose();
                    return null;
                }

                held.Files.Add(file);
            }

            return held;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            held.Dispose();
            throw new DiskSyncException(
                FailureKind.OwnershipInDoubt,
                $"the lock of {images[0]} cannot be taken in {_folder}: {e.Message}",
                "Check the state folder's permissions and free space, or name another with --state.",
                e);
        }
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    private string FileOf(string image, string suffix) =>
        Path.Combine(_folder, Blake3.Hash(Encoding.UTF8.GetBytes(image)).ToString()[..32] + suffix);

    private sealed class Held : IDisposable
    {
        public List<FileStream> Files { get; } = [];

        public void Dispose() => Files.ForEach(f => f.Dispose());
    }
}
