using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Formats.BlockMap;
using FsCheck.Xunit;

namespace DiskSync.Engine.Tests.Blocks;

/// <summary>The map against a plain array, whatever is done to it.</summary>
public class PagedMapModelTests
{
    [Property(MaxTest = 100)]
    public void Any_sequence_of_changes_agrees_with_a_plain_array(
        uint size, bool shortLast, bool zero, (byte Kind, ushort First, ushort Count, byte Value)[] steps)
    {
        BlockGeometry geometry = MapSamples.Geometry(1 + (size % 1400), shortLast);
        InMemoryStateFile file = new();
        PagedMap map = new(geometry, file, zero);
        var model = new Hash256[geometry.BlockCount];
        for (long block = 0; block < model.Length; block++)
        {
            model[block] = zero ? ZeroBlock.HashOf(geometry.LengthOf(block)) : Hash256.Unknown;
        }

        foreach ((byte kind, ushort first, ushort count, byte value) in steps)
        {
            map = Step(map, file, model, zero, (kind % 7, first % model.Length, count, value % 4));
        }

        Assert.Equal(model, MapSamples.All(map));
        Assert.Equal(MapSamples.ReferenceRoot(geometry, model), map.Root());
    }

    private static PagedMap Step(
        PagedMap map, InMemoryStateFile file, Hash256[] model, bool zero, (int Kind, int First, int Count, int Value) step)
    {
        int first = step.First;
        int count = Math.Min(step.Count % 600, model.Length - first);
        Hash256 hash = step.Value == 0 ? Hash256.Unknown : MapSamples.Hash(step.Value);
        switch (step.Kind)
        {
            case 0 or 1:
                map.SetRun(first, count, hash);
                Array.Fill(model, hash, first, count);
                break;
            case 2:
                map.SetZeroRun(first, count);
                for (int block = first; block < first + count; block++)
                {
                    model[block] = ZeroBlock.HashOf(map.Geometry.LengthOf(block));
                }

                break;
            case 3:
                long page = first / PagedMap.PageBlocks;
                map.Forget(page, 1);
                Array.Fill(model, default, (int)page * 256, Math.Min(256, model.Length - ((int)page * 256)));
                break;
            case 4:
                Assert.Equal(MapSamples.ReferenceRoot(map.Geometry, model), map.Root());
                break;
            case 5:
                map.Flush();
                return new PagedMap(map.Geometry, file, zero);
            default:
                Hash256[] part = [.. map.GetRuns(first, count).SelectMany(r => Enumerable.Repeat(r.Hash, (int)r.Count))];
                Assert.Equal(model.AsSpan(first, count).ToArray(), part);
                Assert.Equal(model[first], map.Get(first));
                break;
        }

        return map;
    }
}
