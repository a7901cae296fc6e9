using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Tests.World;

/// <summary>Two hosts, their images and guests, a link, and the invariants of design section 5, checked at every step.</summary>
public sealed class SimWorld
{
    private readonly Random? _random;
    private readonly Queue<string> _events = new();

    public SimWorld(int images = 2, Random? random = null)
    {
        _random = random;
        Images = [.. Enumerable.Range(0, images).Select(i => $"/images/{(char)('a' + i)}.img")];
        S = new SimHost(this, "S") { GuestRuns = true, Data = 1 };
        D = new SimHost(this, "D");
        foreach (string image in Images)
        {
            S.Names[image] = "NAME";
            D.Names[image] = "partial";
        }

        S.SyncNames();
        D.SyncNames();
        Newest = 1;
    }

    public IReadOnlyList<string> Images { get; }

    public SimHost S { get; }

    public SimHost D { get; }

    public bool LinkUp { get; set; } = true;

    public int Messages { get; set; }

    public LinkCut Cut { get; set; } = LinkCut.None;

    /// <summary>A death is a power cut of the host (its guest dies too), not of the process alone.</summary>
    public bool PowerCuts { get; init; }

    /// <summary>A power cut undoes renames that were not flushed (else it keeps them: both happen).</summary>
    public bool LosesUnflushedNames { get; init; }

    /// <summary>Mutant: the journal acknowledges before it flushes.</summary>
    public bool JournalDoesNotFlush { get; init; }

    /// <summary>Mutant: renames without flushing the folder.</summary>
    public bool NamesAreNotFlushed { get; init; }

    /// <summary>Whether parts of the images are still at S when it hands over (docs/tail.md).</summary>
    public bool Tail { get; set; }

    /// <summary>Whether what is missing arrives right after the hand-over.</summary>
    public bool CompletesAtOnce { get; set; } = true;

    public GuestAction? FailingHook { get; set; }

    public double Mischief { get; set; }

    /// <summary>The number of the newest write that any guest made: whoever runs must hold it.</summary>
    public long Newest { get; private set; }

    public bool Dies(SimHost host) => _random is not null && host.Up && _random.NextDouble() < Mischief / 8;

    public bool LinkBreaks() => _random is not null && _random.NextDouble() < Mischief / 2;

    public bool HookFails(GuestAction action) => FailingHook == action || (_random is not null && _random.NextDouble() < Mischief / 4);

    /// <summary>Time passes: guests write, and everything that must always hold is checked.</summary>
    public void Tick(string what)
    {
        _events.Enqueue(what);
        Check(!(S.GuestRuns && D.GuestRuns), "both guests run");
        foreach (SimHost host in new[] { S, D })
        {
            foreach (string image in Images)
            {
                OwnershipView view = host.DurableView;
                OwnershipEntry? last = view.Last(image);
                Check(!host.GuestRuns || view.Owns(image) || (last is null && host == S), $"{host.Name}'s guest runs, its journal says {last?.Kind}");
                Check(
                    last?.Kind != AttemptState.Ceded || host.DurableNames[image] == $"ceded-{last.Epoch}",
                    $"CEDED is durable at {host.Name}, the name is {host.DurableNames[image]}");
                Check(
                    host != D || !D.GuestRuns || IsFinished(image),
                    $"D's guest runs on an image without its name or seal: {D.DurableNames[image]}");
            }

            if (host == S && HasDiscarded())
            {
                Newest = S.Data;
            }

            if (host.GuestRuns)
            {
                Check(host.Data == Newest, $"{host.Name}'s guest runs on data {host.Data}, the newest is {Newest}");
                host.Data = ++Newest;
            }
        }

        foreach (string image in Images)
        {
            OwnershipView view = D.DurableView;
            if (view.Last(image) is { } needs && (needs.Kind.IsIncomplete() || (needs.Kind == AttemptState.Paused && view.IncompleteEpoch(image) > 0)))
            {
                Check(
                    S.DurableView.Last(image)?.Kind is AttemptState.Ceded or AttemptState.Pinned && S.DurableNames[image] == $"ceded-{view.IncompleteEpoch(image)}",
                    $"D needs S's frozen image, S's journal says {S.DurableView.Last(image)?.Kind}, its name is {S.DurableNames[image]}");
            }

            Check(!(S.DurableView.Owns(image) && D.DurableView.Owns(image)), $"both own {image}");
            Check(
                !D.DurableView.Owns(image) || S.DurableView.Last(image)?.Kind is AttemptState.Ceded or AttemptState.Pinned or AttemptState.Done,
                $"D owns {image}, S's journal says {S.DurableView.Last(image)?.Kind}");
        }
    }

    /// <summary>What a coordinator does: begin, pause, send the last delta, hand over.</summary>
    public async Task<HandOverResult> Migrate(SimProcess s, SimProcess d, string pause = "pause", string resume = "resume")
    {
        SimLink link = new(s, D, d);
        using SourceAttempt attempt = s.Source.Begin(Images, "D", "unpause");
        await s.Source.ReleaseEarlierAsync(attempt, link, CancellationToken.None);
        await s.Source.PauseAsync(attempt, s.Machine(pause), CancellationToken.None);
        try
        {
            foreach (string image in Images)
            {
                d.Destination.GuardTarget(image);
                D.Names[image] = D.DurableNames[image] = "partial";
            }

            D.Data = S.Data;
        }
        catch (Exception e) when (e is DiskSyncException or SimKilledException)
        {
            _ = await s.Source.CallOffAsync(attempt, LinkUp ? link : null);
            throw;
        }

        HandOverResult result = await s.Source.HandOverAsync(
            attempt, [.. Images.Select(_ => SimProcess.RootOf(S.Data))], resume, Tail, link, () => { }, CancellationToken.None);
        if (result.State != HandOverState.Pinned || !CompletesAtOnce)
        {
            return result;
        }

        try
        {
            Complete(d);
        }
        catch (Exception e) when (e is DiskSyncException or SimKilledException)
        {
        }

        return await s.Source.ResolveAsync(attempt, link, CededWish.Complete, CancellationToken.None);
    }

    /// <summary>What the export at D does in time: fetches, and says so when nothing is missing.</summary>
    public void Complete(SimProcess d)
    {
        foreach (string image in Images)
        {
            OwnershipEntry? last = D.DurableView.Last(image);
            if (last is null || !last.Kind.IsIncomplete() || D.TailSeals.GetValueOrDefault(image) != last.Epoch)
            {
                continue;
            }

            d.Step("before the last part");
            Check(S.DurableNames[image] == $"ceded-{last.Epoch}", "what is fetched from S is not frozen");
            D.Missing.Remove(image);
            d.Step("after the last part");
            Check(d.Destination.Tails.TryComplete(image, isServing: true), "nobody else is at it");
        }
    }

    private bool IsFinished(string image) => D.DurableView.Last(image)!.Kind.IsIncomplete() && D.DurableNames[image] != "NAME"
        ? D.DurableNames[image] == $"incomplete-{D.DurableView.Last(image)!.Epoch}" && D.TailSeals.ContainsKey(image)
        : D.DurableNames[image] == "NAME" && (D.Seals.ContainsKey(image) || D.TailSeals.ContainsKey(image));

    // All images of the attempt go back, those that were whole already too.
    private bool HasDiscarded() =>
        Images.All(i => D.DurableView.Last(i)?.Kind is AttemptState.Paused or AttemptState.Done) && Images.Any(i => D.DurableView.IncompleteEpoch(i) > 0);

    public void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"{what}; the last steps were: {string.Join(" | ", _events.TakeLast(25))}");
        }
    }
}
