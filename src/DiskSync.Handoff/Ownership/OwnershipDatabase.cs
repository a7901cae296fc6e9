using System.Globalization;
using DiskSync.Codecs;
using DiskSync.Formats.Journal;
using Microsoft.Data.Sqlite;

namespace DiskSync.Handoff.Ownership;

/// <summary>The journal's SQLite file: how it is opened, made, read and added to. Knows rows and chains, no policy.</summary>
/// <remarks>
/// synchronous=EXTRA with a rollback journal: a commit is durable, its folder entry included, when it returns.
/// The page size is that of a sector, so a torn write damages as little as it can; what it damages, the chain
/// notices. A connection lives for one operation: nothing is cached between them.
/// </remarks>
internal sealed class OwnershipDatabase : IDisposable
{
    private const int ApplicationId = 0x4453_4F4A; // "DSOJ"
    private readonly SqliteConnection _connection;

    private OwnershipDatabase(SqliteConnection connection) => _connection = connection;

    /// <summary>Makes a new database under a name that nobody looks at yet; the caller gives it its name.</summary>
    public static void Create(string path, bool recreated)
    {
        using OwnershipDatabase database = new(Connect(path, SqliteOpenMode.ReadWriteCreate, busy: TimeSpan.FromSeconds(1)));
        database.Execute("PRAGMA page_size=512");
        database.Configure();
        database.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id={ApplicationId}"));
        database.Execute("BEGIN IMMEDIATE");
        database.Execute("CREATE TABLE record(seq INTEGER PRIMARY KEY, image TEXT NOT NULL, body BLOB NOT NULL)");
        database.Execute("CREATE TABLE head(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, recreated INTEGER NOT NULL, chain BLOB NOT NULL)");
        using (SqliteCommand insert = database.Command("INSERT INTO head VALUES(1, 0, $recreated, $chain)"))
        {
            insert.Parameters.AddWithValue("$recreated", recreated ? 1 : 0);
            insert.Parameters.AddWithValue("$chain", Bytes(OwnershipRecordCodec.Genesis(recreated)));
            insert.ExecuteNonQuery();
        }

        database.Execute("COMMIT");
    }

    /// <summary>Opens an existing database for reading and writing (a reader too may have to roll a crash's transaction back).</summary>
    public static OwnershipDatabase Open(string path, TimeSpan busy)
    {
        OwnershipDatabase database = new(Connect(path, SqliteOpenMode.ReadWrite, busy));
        try
        {
            database.Configure();
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public void Execute(string sql)
    {
        using SqliteCommand command = Command(sql);
        command.ExecuteNonQuery();
    }

    /// <summary>journal_mode and synchronous as this connection has them.</summary>
    public (string Mode, long Synchronous) Durability() => (Scalar("PRAGMA journal_mode") as string ?? string.Empty, Scalar("PRAGMA synchronous") as int? ?? -1);

    /// <summary>Reads every row and checks it against the chain and the head.</summary>
    /// <exception cref="InvalidDataException">Something is missing, added or changed.</exception>
    public (OwnershipView View, Hash256 Chain) ReadAll()
    {
        if (Scalar("PRAGMA application_id") is not ApplicationId || Scalar("PRAGMA integrity_check") is not "ok")
        {
            throw new InvalidDataException("SQLite's own integrity check fails");
        }

        (long seq, bool recreated, Hash256 head) = ReadHead();
        Hash256 chain = OwnershipRecordCodec.Genesis(recreated);
        List<OwnershipEntry> entries = [];
        using SqliteCommand select = Command("SELECT seq, image, body FROM record ORDER BY seq");
        using SqliteDataReader reader = select.ExecuteReader();
        while (reader.Read())
        {
            long expected = entries.Count + 1;
            if (reader.GetValue(0) is not long number || number != expected
                || reader.GetValue(1) is not string image
                || reader.GetValue(2) is not byte[] body)
            {
                throw new InvalidDataException($"record {expected} is missing or of the wrong form");
            }

            OwnershipEntry entry = OwnershipEntryCodec.Decode(body, number, ref chain);
            if (!string.Equals(entry.Image, image, StringComparison.Ordinal))
            {
                throw new InvalidDataException($"record {expected} is filed under the wrong image");
            }

            entries.Add(entry);
        }

        return entries.Count == seq && chain == head
            ? (new OwnershipView(entries, recreated), chain)
            : throw new InvalidDataException($"the head names {seq} records, {entries.Count} are there, or the last is not the one it names");
    }

    /// <summary>Adds rows and moves the head, inside the caller's transaction.</summary>
    public void Add(long after, Hash256 chain, IReadOnlyList<OwnershipEntry> entries)
    {
        long sequence = after;
        foreach (OwnershipEntry entry in entries)
        {
            byte[] body = OwnershipEntryCodec.Encode(entry, ++sequence, ref chain);
            using SqliteCommand insert = Command("INSERT INTO record VALUES($seq, $image, $body)");
            insert.Parameters.AddWithValue("$seq", sequence);
            insert.Parameters.AddWithValue("$image", entry.Image);
            insert.Parameters.AddWithValue("$body", body);
            insert.ExecuteNonQuery();
        }

        using SqliteCommand update = Command("UPDATE head SET seq=$seq, chain=$chain WHERE id=1");
        update.Parameters.AddWithValue("$seq", sequence);
        update.Parameters.AddWithValue("$chain", Bytes(chain));
        if (update.ExecuteNonQuery() != 1)
        {
            throw new InvalidDataException("the head is missing");
        }
    }

    public void Dispose() => _connection.Dispose();

    private (long Sequence, bool Recreated, Hash256 Chain) ReadHead()
    {
        using SqliteCommand select = Command("SELECT seq, recreated, chain, id FROM head");
        using SqliteDataReader reader = select.ExecuteReader();
        return reader.Read()
            && reader.GetValue(0) is long sequence and >= 0
            && reader.GetValue(1) is long recreated and (0 or 1)
            && reader.GetValue(2) is byte[] { Length: Hash256.Size } chain
            && reader.GetValue(3) is 1L
            && !reader.Read()
            ? (sequence, recreated == 1, new Hash256(chain))
            : throw new InvalidDataException("the head is missing or of the wrong form");
    }

    private static SqliteConnection Connect(string path, SqliteOpenMode mode, TimeSpan busy)
    {
        SqliteConnection connection = new(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = Math.Max(1, (int)busy.TotalSeconds),
        }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Configure()
    {
        string timeout = string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout={_connection.DefaultTimeout * 1000}");
        Execute(timeout);
        Execute("PRAGMA trusted_schema=OFF");
        Execute("PRAGMA cell_size_check=ON");
        Execute("PRAGMA synchronous=EXTRA");
        if (Scalar("PRAGMA journal_mode=DELETE") is not "delete" || Scalar("PRAGMA synchronous") is not 3)
        {
            throw new InvalidDataException("SQLite cannot be set to journal_mode=DELETE and synchronous=EXTRA");
        }
    }

    private SqliteCommand Command(string sql)
    {
        SqliteCommand command = _connection.CreateCommand();
#pragma warning disable CA2100 // All texts are constants of this file.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }

    private object? Scalar(string sql)
    {
        using SqliteCommand command = Command(sql);
        return command.ExecuteScalar() switch
        {
            long number => (int)number,
            var other => other,
        };
    }

    private static byte[] Bytes(Hash256 hash)
    {
        byte[] bytes = new byte[Hash256.Size];
        hash.CopyTo(bytes);
        return bytes;
    }
}
