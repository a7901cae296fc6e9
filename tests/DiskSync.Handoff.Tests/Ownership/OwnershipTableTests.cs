using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;
using DiskSync.Handoff.Tests.World;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>Runs the table of docs/ownership.md, row by row: the page is the test's input.</summary>
public class OwnershipTableTests
{
    private static readonly Guid Attempt = Guid.Parse("11111111-2222-3333-4444-555555555555");

    public static TheoryData<string> Rows()
    {
        string? folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder!, "DiskSync.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        TheoryData<string> rows = [];
        foreach (string line in File.ReadLines(Path.Combine(folder!, "docs", "ownership.md")))
        {
            if (line.StartsWith("| ", StringComparison.Ordinal) && line.Count(c => c == '|') == 9
                && !line.StartsWith("| S |", StringComparison.Ordinal) && !line.StartsWith("| ---", StringComparison.Ordinal))
            {
                rows.Add(line);
            }
        }

        return rows;
    }

    [Fact]
    public void The_page_has_its_table() => Assert.True(Rows().Count >= 60);

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Each_row_of_the_page_is_true(string row)
    {
        string[] cells = [.. row.Split('|', StringSplitOptions.TrimEntries)[1..^1]];
        SimWorld world = new() { LinkUp = cells[2] == "up", Tail = cells[0] == "PINNED" || cells[1].Contains("TAIL") || cells[1].Contains("INCOMPLETE") };
        SetUp(world, cells[0], cells[1]);
        world.Tick("as the row begins");

        Assert.Equal(cells[3], MayWrite(world));
        if (cells[4].EndsWith("(refused)", StringComparison.Ordinal))
        {
            await Assert.ThrowsAsync<DiskSyncException>(() => Run(world, cells[4][..^" (refused)".Length]));
        }
        else
        {
            await Run(world, cells[4]);
        }

        world.Tick("as the row ends");

        Assert.Equal(cells[5], Name(world.S, cells[5]));
        Assert.Equal(cells[6], Name(world.D, cells[6]));
        Assert.Equal(cells[7], world.S.GuestRuns ? "S" : world.D.GuestRuns ? "D" : "-");
    }

    private static string MayWrite(SimWorld world) =>
        world.S.DurableView.Owns(world.Images[0]) ? "S" : world.D.DurableView.Owns(world.Images[0]) ? "D" : "nobody";

    private static string Name(SimHost host, string expected) => host.LastKind switch
    {
        AttemptState.None => "-",
        AttemptState.Done when host.Name == "D" => "RETURNED",
        AttemptState.Owner when expected == "OWNER AGAIN" => expected,
        AttemptState.PreparedTail => "PREPARED TAIL",
        AttemptState.OwnerIncomplete => "OWNER_INCOMPLETE",
        AttemptState.RunningIncomplete => "RUNNING_INCOMPLETE",
        var kind => kind.ToString().ToUpperInvariant(),
    };

    private static async Task Run(SimWorld world, string command)
    {
        SimProcess s = new(world.S);
        SimProcess d = new(world.D);
        SimLink? link = world.LinkUp ? new SimLink(s, world.D, d) : null;
        string image = world.Images[0];
        switch (command)
        {
            case "owner at S":
                _ = await s.Owner.ResolveAsync(image, link, CancellationToken.None);
                break;
            case "owner --return at S":
                _ = await s.Owner.ReturnAsync(image, link, false, CancellationToken.None);
                break;
            case "owner --force at S":
                _ = await s.Owner.ForceAsync(image);
                break;
            case "owner at D":
                _ = await d.Owner.ResolveAsync(image, null, CancellationToken.None);
                break;
            case "owner --return at D":
                _ = await d.Owner.ReturnAsync(image, null, false, CancellationToken.None);
                break;
            case "owner --force at D":
                _ = await d.Owner.ForceAsync(image);
                break;
            case "owner --return --discard-writes at D":
                _ = await d.Owner.ReturnAsync(image, null, true, CancellationToken.None);
                break;
            case "the last part arrives":
                world.Complete(d);
                break;
            case "receiver starts at D":
                _ = await d.Destination.RecoverAtStartAsync();
                break;
            case "migrate again":
                HandOverResult before = await s.Source.ResolveAsync(image, link, CededWish.Complete, CancellationToken.None);
                if (before.State is HandOverState.SourceRuns or HandOverState.Nothing)
                {
                    _ = await world.Migrate(new SimProcess(world.S), new SimProcess(world.D));
                }

                break;
            default:
                Assert.Fail($"no such command: {command}");
                break;
        }
    }

    /// <summary>Puts records, names, seals and guests as they stand when the row begins; N is 1.</summary>
    private static void SetUp(SimWorld world, string s, string d)
    {
        world.D.Data = d == "-" ? 0 : world.S.Data;
        (AttemptState, ulong)[] source = s switch
        {
            "OWNER" => [],
            "PAUSED" => [(AttemptState.Paused, 2)],
            "RUNNING" => [(AttemptState.Paused, 2), (AttemptState.CalledOff, 2), (AttemptState.Owner, 1), (AttemptState.Running, 1)],
            "CEDED" => [(AttemptState.Paused, 2), (AttemptState.Ceded, 2)],
            "DONE" => [(AttemptState.Paused, 2), (AttemptState.Ceded, 2), (AttemptState.Done, 2)],
            "PINNED" => [(AttemptState.Paused, 2), (AttemptState.Ceded, 2), (AttemptState.Pinned, 2)],
            "OWNER AGAIN" => [(AttemptState.Paused, 2), (AttemptState.Ceded, 2), (AttemptState.Owner, 3)],
            _ => throw new ArgumentException(s),
        };
        (AttemptState, ulong)[] destination = d switch
        {
            "-" => [],
            "PREPARED" => [(AttemptState.Prepared, 2)],
            "REFUSED" => [(AttemptState.Prepared, 2), (AttemptState.Refused, 2)],
            "OWNER" => [(AttemptState.Prepared, 2), (AttemptState.Owner, 2)],
            "RUNNING" => [(AttemptState.Prepared, 2), (AttemptState.Owner, 2), (AttemptState.Running, 2)],
            "PREPARED TAIL" => [(AttemptState.PreparedTail, 2)],
            "OWNER_INCOMPLETE" => [(AttemptState.PreparedTail, 2), (AttemptState.OwnerIncomplete, 2)],
            "RUNNING_INCOMPLETE" => [(AttemptState.PreparedTail, 2), (AttemptState.OwnerIncomplete, 2), (AttemptState.RunningIncomplete, 2)],
            "RUNNING WHOLE" => [(AttemptState.PreparedTail, 2), (AttemptState.OwnerIncomplete, 2), (AttemptState.RunningIncomplete, 2), (AttemptState.Running, 2)],
            "RETURNED TAIL" => [(AttemptState.PreparedTail, 2), (AttemptState.OwnerIncomplete, 2), (AttemptState.Paused, 3), (AttemptState.Done, 3)],
            "RETURNED" => [(AttemptState.Prepared, 2), (AttemptState.Owner, 2), (AttemptState.Paused, 3), (AttemptState.Done, 3)],
            _ => throw new ArgumentException(d),
        };
        world.S.GuestRuns = s is "OWNER" or "RUNNING";
        world.D.GuestRuns = d.StartsWith("RUNNING", StringComparison.Ordinal);
        foreach (string image in world.Images)
        {
            world.S.Durable.Add(Entry(world, image, Guid.Empty, AttemptState.Owner, 1));
            world.S.DurableNames[image] = world.S.Names[image] = s is "CEDED" or "PINNED" or "DONE" or "OWNER AGAIN" ? "ceded-2" : "NAME";
            world.D.DurableNames[image] = world.D.Names[image] = d switch
            {
                "RUNNING" or "RUNNING WHOLE" => "NAME",
                "RUNNING_INCOMPLETE" => "incomplete-2",
                "RETURNED" or "RETURNED TAIL" => "ceded-3",
                _ => "partial",
            };
            if (d is "RUNNING" or "RETURNED" or "RUNNING WHOLE")
            {
                world.D.Seals[image] = 2;
            }

            if (d is "RUNNING_INCOMPLETE" or "RETURNED TAIL")
            {
                world.D.TailSeals[image] = 2;
            }

            if (d.EndsWith("TAIL", StringComparison.Ordinal) || d.EndsWith("INCOMPLETE", StringComparison.Ordinal))
            {
                world.D.Missing.Add(image);
            }
        }

        foreach (string image in world.Images)
        {
            world.S.Durable.AddRange(source.Select(r => Entry(world, image, Attempt, r.Item1, r.Item2)));
            world.D.Durable.AddRange(destination.Select(r => Entry(world, image, Attempt, r.Item1, r.Item2)));
        }
    }

    private static OwnershipEntry Entry(SimWorld world, string image, Guid attempt, AttemptState kind, ulong epoch) => new(
        image, attempt, epoch, kind, SimProcess.RootOf(world.S.Data), DateTimeOffset.UnixEpoch, "peer",
        kind == AttemptState.Paused ? "unpause" : kind == AttemptState.Prepared ? "command:resume" : string.Empty,
        attempt == Guid.Empty ? [image] : world.Images);
}
