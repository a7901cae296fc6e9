using DiskSync.Engine.Blocks;
using DiskSync.Formats.SavedMap;
using DiskSync.Linux;

namespace DiskSync.Engine.SavedMaps;

/// <summary>Watches a source from before it is read: whether anybody can have written it, and by what that will be told the next time.</summary>
/// <remarks>
/// A file is watched by a read lease, a block device by what the kernel counts (Formats/SavedMap/FORMAT.md). Thread safe.
/// Dispose it before the source.
/// </remarks>
public sealed class SourceWatch : IDisposable
{
    private const int SectorBytes = 512;

    /// <summary>How much older than the save the last change must be: the coarsest clocks of file systems tick once in one or two seconds.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private readonly LinuxFile? _file;
    private readonly ReadLease? _lease;
    private readonly DeviceActivity _before;

    private SourceWatch(LinuxFile? file, ReadLease? lease, SourceIdentity? identity, string refusal, DeviceActivity before = default)
    {
        _file = file;
        _lease = lease;
        _before = before;
        Identity = identity;
        Refusal = refusal;
    }

    /// <summary>The source as it was when the watch began; null where it cannot be watched.</summary>
    public SourceIdentity? Identity { get; }

    /// <summary>Why the source cannot be watched, or empty.</summary>
    public string Refusal { get; }

    /// <summary>Begins to watch a source.</summary>
    /// <param name="source">The source, open, nothing of it read yet; stays its opener's.</param>
    public static SourceWatch Begin(IBlockDevice source)
    {
        try
        {
            return source switch
            {
                _ when BootId.Current == Guid.Empty => Refused("this host does not tell its boot id"),
                FileBlockDevice file => OfFile(file.Handle),
                BlockSpecialDevice device => OfDevice(device.Handle),
                _ => Refused("nobody can tell what is written to it"),
            };
        }
        catch (LinuxException exception)
        {
            return Refused(exception.Message);
        }
    }

    /// <summary>How long the source has to stand still before <see cref="MaySave"/> can be true; zero where it has, or where time tells nothing.</summary>
    public TimeSpan SettlesIn => Identity is { IsDevice: false } identity && ChangedAt(identity) + Settled - DateTimeOffset.UtcNow is var left && left > TimeSpan.Zero
        ? left
        : TimeSpan.Zero;

    /// <summary>What an image is now, to be compared with what a watch has found before; of a file whoever opened it sees to it that nobody else writes.</summary>
    /// <param name="image">The image, open.</param>
    /// <returns>Null where it cannot be told.</returns>
    /// <exception cref="LinuxException">It cannot be looked at.</exception>
    public static SourceIdentity? IdentityOf(IBlockDevice image) => image switch
    {
        FileBlockDevice file => FileNow(file.Handle),
        BlockSpecialDevice device => DeviceNow(device.Handle),
        _ => null,
    };

    /// <summary>Whether nobody can have written the source since the watch began.</summary>
    /// <param name="why">Who may have, or empty.</param>
    public bool IsUntouched(out string why)
    {
        why = Refusal;
        if (_file is null || Identity is not { } identity)
        {
            return false;
        }

        try
        {
            why = _lease switch
            {
                { IsHeld: false } => "somebody opened it for writing meanwhile",
                null => DeviceNow(_file) == identity ? string.Empty : "it was written meanwhile",
                _ => FileNow(_file) == identity ? string.Empty : "it was changed meanwhile",
            };
        }
        catch (LinuxException exception)
        {
            why = exception.Message;
        }

        return why.Length == 0;
    }

    /// <summary>Whether the map of what was read may be saved, and so believed by a later run.</summary>
    /// <param name="bytesRead">What was read of the source since the watch began; 0 where a map that was believed stood for it.</param>
    /// <param name="why">Why it may not, or empty.</param>
    public bool MaySave(long bytesRead, out string why)
    {
        if (!IsUntouched(out why) || _file is null || Identity is not { } identity)
        {
            return false;
        }

        if (!identity.IsDevice)
        {
            // What was read may still be in memory alone; a power cut that loses it is another boot.
            why = DateTimeOffset.UtcNow - ChangedAt(identity) < Settled ? "it was changed less than two seconds before" : string.Empty;
            return why.Length == 0;
        }

        try
        {
            // A driver that does not count reads does not count writes either.
            ulong counted = ((DeviceActivity.Of(_file.Stat().SpecialDevice)?.SectorsRead ?? 0) - _before.SectorsRead) * SectorBytes;
            why = counted < (ulong)bytesRead ? "the device does not count what is read and written" : string.Empty;
        }
        catch (LinuxException exception)
        {
            why = exception.Message;
        }

        return why.Length == 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _lease?.Dispose();

    private static SourceWatch Refused(string why) => new(null, null, null, why);

    private static SourceWatch OfFile(LinuxFile file)
    {
        if (!FileSystemIdentity.Of(file).ShowsEveryWrite)
        {
            return Refused("its file system may be written without this host's kernel telling");
        }

        ReadLease? lease = ReadLease.TryTake(file, out LeaseRefusal refusal);
        if (lease is null)
        {
            return Refused(refusal switch
            {
                LeaseRefusal.Writer => "somebody has it open for writing",
                LeaseRefusal.NotOwner => $"user {UserLookup.EffectiveUserName} may take no lease on it, which only its owner may",
                _ => "its file system has no leases",
            });
        }

        try
        {
            // After the lease: what was written before it has moved the change time by now.
            return new SourceWatch(file, lease, FileNow(file), string.Empty);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    private static SourceWatch OfDevice(LinuxFile device)
    {
        device.Sync();
        DeviceNumber number = device.Stat().SpecialDevice;
        return DeviceActivity.Of(number) is { } activity
            ? new SourceWatch(device, null, IdentityOf(number, activity), string.Empty, activity)
            : Refused("the kernel does not count what is written to it");
    }

    private static SourceIdentity FileNow(LinuxFile file)
    {
        FileStat stat = file.Stat();
        FileSystemIdentity system = FileSystemIdentity.Of(file);
        return new SourceIdentity(
            IsDevice: false,
            BootId.Current,
            stat.Device.Value,
            DeviceActivity.SequenceOf(stat.Device),
            stat.Inode,
            stat.BirthNanoseconds,
            stat.ChangedNanoseconds,
            system.Type,
            system.Id,
            SectorsChanged: 0);
    }

    private static SourceIdentity? DeviceNow(LinuxFile device)
    {
        // What the page cache still holds is counted once it is on its way to the device.
        device.Sync();
        DeviceNumber number = device.Stat().SpecialDevice;
        return DeviceActivity.Of(number) is { } activity ? IdentityOf(number, activity) : null;
    }

    private static SourceIdentity IdentityOf(DeviceNumber number, DeviceActivity activity) => new(
        IsDevice: true, BootId.Current, number.Value, activity.Sequence, 0, 0, 0, 0, 0, activity.SectorsChanged);

    private static DateTimeOffset ChangedAt(SourceIdentity identity) =>
        DateTimeOffset.UnixEpoch.AddTicks(identity.ChangedNs / 100);
}
