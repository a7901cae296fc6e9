using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Tests.World;

/// <summary>One host: what its disks hold for good, what a power cut takes, its guest, and the moment at which it dies.</summary>
public sealed class SimHost(SimWorld world, string name)
{
    private OwnershipView? _view;
    private readonly HashSet<string> _locked = new(StringComparer.Ordinal);

    public string Name => name;

    public SimWorld World => world;

    /// <summary>Grows with every start; objects of an earlier process are dead.</summary>
    public int Generation { get; private set; }

    public bool Up { get; private set; } = true;

    public List<OwnershipEntry> Durable { get; } = [];

    /// <summary>Entries that a journal without flushes (a mutant) has acknowledged and not kept yet.</summary>
    public List<OwnershipEntry> Unsynced { get; } = [];

    /// <summary>Image to its name as the disk holds it: "" none, "partial", "NAME", "incomplete-E", "ceded-E".</summary>
    public Dictionary<string, string> DurableNames { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Names { get; private set; } = new(StringComparer.Ordinal);

    public Dictionary<string, ulong> Seals { get; } = new(StringComparer.Ordinal);

    /// <summary>Image to the epoch of its tail seal.</summary>
    public Dictionary<string, ulong> TailSeals { get; } = new(StringComparer.Ordinal);

    /// <summary>Images of which parts are missing, as their presence maps say durably.</summary>
    public HashSet<string> Missing { get; } = new(StringComparer.Ordinal);

    public bool GuestRuns { get; set; }

    public long Data { get; set; }

    public int Steps { get; private set; }

    public int KillAt { get; set; } = -1;

    public List<string> Trace { get; } = [];

    public OwnershipView View => Unsynced.Count == 0 ? DurableView : new([.. Durable, .. Unsynced], recreated: false);

    /// <summary>What a restart would find; built once per change, for every step looks at it.</summary>
    public OwnershipView DurableView => _view is { } view && view.Entries.Count == Durable.Count ? view : _view = new([.. Durable], recreated: false);

    /// <summary>A moment at which the process may die; checks the world's invariants.</summary>
    public void Step(int generation, string what)
    {
        if (!Up || generation != Generation)
        {
            throw new SimKilledException(what);
        }

        Trace.Add(what);
        world.Tick($"{name}: {what}");
        if (++Steps == KillAt || world.Dies(this))
        {
            Kill();
            throw new SimKilledException($"{name}: {what}");
        }
    }

    public void Kill()
    {
        Up = false;
        _locked.Clear();
        if (world.PowerCuts)
        {
            GuestRuns = false;
            Unsynced.Clear();
            if (world.LosesUnflushedNames)
            {
                Names = new(DurableNames, StringComparer.Ordinal);
            }
        }

        SyncNames();
        Durable.AddRange(Unsynced);
        Unsynced.Clear();
        world.Tick($"{name}: dead");
    }

    /// <summary>A new process; after a power cut the guests that may run are started by the host itself.</summary>
    public void Start()
    {
        Up = true;
        Generation++;
        KillAt = -1;
        if (world.PowerCuts && world.Images.All(IsStartedByItself))
        {
            GuestRuns = true;
        }

        world.Tick($"{name}: started");
    }

    // An image with a tail by its export, the others by their names.
    private bool IsStartedByItself(string image) => OwnershipJudge.Judge(DurableView, image, Look(image)) switch
    {
        { Verdict: OwnershipVerdict.Incomplete } => true,
        { Witness.Exists: true } judgement => judgement.MayRun || judgement.Verdict == OwnershipVerdict.Unseen,
        _ => false,
    };

    public void SyncNames()
    {
        foreach ((string image, string where) in Names)
        {
            DurableNames[image] = where;
        }
    }

    public bool TryLock(IReadOnlyList<string> images)
    {
        if (images.Any(_locked.Contains))
        {
            return false;
        }

        _locked.UnionWith(images);
        return true;
    }

    public void Unlock(IReadOnlyList<string> images) => _locked.ExceptWith(images);

    public ImageWitness Look(string image)
    {
        string at = Names.GetValueOrDefault(image, string.Empty);
        ulong ceded = at.StartsWith("ceded-", StringComparison.Ordinal) ? ulong.Parse(at.AsSpan(6)) : 0;
        ulong incomplete = at.StartsWith("incomplete-", StringComparison.Ordinal) ? ulong.Parse(at.AsSpan(11)) : 0;
        return new ImageWitness(Seals.GetValueOrDefault(image), ceded, SealDamaged: false, at == "NAME")
        {
            IncompleteEpoch = incomplete,
            HasTail = TailSeals.ContainsKey(image),
        };
    }

    public AttemptState LastKind => DurableView.Last(world.Images[0])?.Kind ?? AttemptState.None;
}
