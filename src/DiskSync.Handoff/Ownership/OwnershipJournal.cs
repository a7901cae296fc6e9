using System.Globalization;
using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Runs;
using DiskSync.Linux;
using Microsoft.Data.Sqlite;

namespace DiskSync.Handoff.Ownership;

/// <summary>The ownership journal of a host: STATE/ownership.db, chained by BLAKE3 and written with synchronous=EXTRA.</summary>
/// <remarks>
/// Thread safe, and safe between processes (BEGIN IMMEDIATE; a waiting time limit). A journal that is not there is
/// empty; one that is there and not whole throws <see cref="JournalDamagedException"/>, never an older state.
/// </remarks>
public sealed class OwnershipJournal : IOwnershipJournal
{
    private const string FileName = "ownership.db";
    private const int Full = 13;
    private const int CountOffset = 24; // The file change counter of SQLite's header.
    private const int ReservedBytes = 256 << 10;
    private const int ShortRead = 10 | (2 << 8); // The file ends in the middle of a page.
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(30);
    private readonly string _folder;

    /// <summary>Names the journal; touches nothing yet.</summary>
    /// <param name="stateFolder">STATE; made (0700) by the first write.</param>
    public OwnershipJournal(string stateFolder)
    {
        _folder = System.IO.Path.GetFullPath(stateFolder);
        Path = System.IO.Path.Combine(_folder, FileName);
    }

    /// <summary>The journal's file.</summary>
    public string Path { get; }

    private string ReservePath => Path + ".reserve";

    /// <inheritdoc/>
    public OwnershipView Read()
    {
        if (!IsThere())
        {
            return OwnershipView.Empty;
        }

        return Guarded("read", database =>
        {
            database.Execute("BEGIN");
            (OwnershipView view, _) = database.ReadAll();
            database.Execute("COMMIT");
            return view;
        });
    }

    /// <inheritdoc/>
    /// <remarks>
    /// SQLite counts its transactions in the file's header. The file's times are not enough, as they move in ticks; the count
    /// alone is not either, as a transaction that is rolled back leaves it as it was. While one is under way nothing is told.
    /// </remarks>
    public string? Stamp()
    {
        try
        {
            if (FileStat.IfExists(Path) is null)
            {
                return IsThere() ? null : string.Empty;
            }

            using LinuxFile file = LinuxFile.Open(Path, LinuxOpen.ReadOnly);
            Span<byte> count = stackalloc byte[4];
            bool isWhole = file.ReadAt(count, CountOffset) == count.Length;
            FileStat stat = file.Stat();
            return isWhole && FileStat.IfExists(Path + "-journal") is null
                ? string.Create(CultureInfo.InvariantCulture, $"{stat.Inode} {stat.Size} {stat.ModifiedNanoseconds} {Convert.ToHexString(count)}")
                : null;
        }
        catch (LinuxException)
        {
            // Reading says what is wrong.
            return null;
        }
    }

    /// <inheritdoc/>
    public void Reserve()
    {
        try
        {
            StateFolder.Create(_folder);
            using FileStream room = new(ReservePath, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                PreallocationSize = ReservedBytes,
            });
            room.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable("make room for", e);
        }
    }

    /// <inheritdoc/>
    public OwnershipView Append(Func<OwnershipView, IReadOnlyList<OwnershipEntry>> decide)
    {
        ArgumentNullException.ThrowIfNull(decide);
        if (!IsThere())
        {
            Create(recreated: false);
        }

        try
        {
            return AppendOnce(decide);
        }
        catch (DiskSyncException e) when (e.InnerException is SqliteException { SqliteErrorCode: Full } && File.Exists(ReservePath))
        {
            // What was kept free for this very moment.
            File.Delete(ReservePath);
            return AppendOnce(decide);
        }
    }

    private OwnershipView AppendOnce(Func<OwnershipView, IReadOnlyList<OwnershipEntry>> decide)
    {
        return Guarded("write", database =>
        {
            database.Execute("BEGIN IMMEDIATE");
            (OwnershipView view, Hash256 chain) = database.ReadAll();
            IReadOnlyList<OwnershipEntry> entries = decide(view);
            if (entries.Count == 0)
            {
                database.Execute("ROLLBACK");
                return view;
            }

            database.Add(view.Entries.Count, chain, entries);
            database.Execute("COMMIT");
            return new OwnershipView([.. view.Entries, .. entries], view.Recreated);
        });
    }

    /// <inheritdoc/>
    public string? PutDamagedAside(DateTimeOffset now)
    {
        try
        {
            _ = Read();
            return null;
        }
        catch (JournalDamagedException)
        {
            string aside = string.Create(CultureInfo.InvariantCulture, $"{Path}.damaged-{now:yyyyMMdd'T'HHmmss'Z'}");
            using FileStream gate = Gate();
            foreach (string suffix in new[] { string.Empty, "-journal", "-wal", "-shm" })
            {
                if (File.Exists(Path + suffix))
                {
                    FileSystemCalls.RenameNoReplace(Path + suffix, aside + suffix);
                }
            }

            FileSystemCalls.SyncDirectory(_folder);
            CreateLocked(recreated: true);
            return aside;
        }
    }

    private bool IsThere()
    {
        if (File.Exists(Path))
        {
            return true;
        }

        // A rollback journal without its database: somebody removed one of two files that belong together.
        return File.Exists(Path + "-journal") ? throw new JournalDamagedException(Path, "the database is gone, its rollback journal is there") : false;
    }

    private void Create(bool recreated)
    {
        try
        {
            if (!Directory.Exists(_folder))
            {
                Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                FileSystemCalls.SyncDirectory(System.IO.Path.GetDirectoryName(_folder) ?? "/");
            }

            using FileStream gate = Gate();
            if (!IsThere())
            {
                CreateLocked(recreated);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw Unusable("make", e);
        }
    }

    // Made complete under another name first: whoever sees ownership.db sees a journal, never the beginning of one.
    private void CreateLocked(bool recreated)
    {
        string fresh = Path + ".new";
        File.Delete(fresh);
        File.Delete(fresh + "-journal");
        using (new FileStream(fresh, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
        }

        OwnershipDatabase.Create(fresh, recreated);
        FileSystemCalls.RenameNoReplace(fresh, Path);
        FileSystemCalls.SyncDirectory(_folder);
    }

    private FileStream Gate()
    {
        long deadline = Environment.TickCount64 + (long)Wait.TotalMilliseconds;
        while (true)
        {
            try
            {
                return new FileStream(Path + ".lock", new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.ReadWrite,
                    Share = FileShare.None,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                });
            }
            catch (IOException) when (Environment.TickCount64 < deadline && Directory.Exists(_folder))
            {
                Thread.Sleep(10);
            }
        }
    }

    private T Guarded<T>(string verb, Func<OwnershipDatabase, T> work)
    {
        try
        {
            using OwnershipDatabase database = OwnershipDatabase.Open(Path, Wait);
            return work(database);
        }
        catch (InvalidDataException e)
        {
            throw new JournalDamagedException(Path, e.Message, e);
        }
        catch (SqliteException e) when (IsDamage(e))
        {
            throw new JournalDamagedException(Path, e.Message, e);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Unusable(verb, e);
        }
    }

    // What says nothing about the bytes is trouble with the file; everything else is taken for damage, the safe guess.
    private static bool IsDamage(SqliteException e) => e.SqliteExtendedErrorCode == ShortRead || (e.SqliteErrorCode & 0xFF) is not
        (5 /* BUSY */ or 6 /* LOCKED */ or 3 /* PERM */ or 8 /* READONLY */ or 10 /* IOERR */ or 13 /* FULL */ or 14 /* CANTOPEN */
            or 23 /* AUTH */ or 7 /* NOMEM */ or 9 /* INTERRUPT */);

    private DiskSyncException Unusable(string verb, Exception e) => new(
        FailureKind.OwnershipInDoubt,
        $"the ownership journal {Path} cannot be used (tried to {verb} it): {e.Message}",
        "Nothing is written before it can be: check the folder's permissions, free space and file system.",
        e);
}
