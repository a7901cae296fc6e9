using DiskSync.TestSupport.Fuzz;

namespace DiskSync.Formats.Tests;

public sealed class FuzzTests
{
    public static TheoryData<string> Targets() => [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void No_input_makes_a_decoder_do_anything_but_refuse(string name)
    {
        FuzzTarget target = FuzzTargets.All.Single(candidate => candidate.Name == name);
        FuzzRunner.Run(target, seed: 20260301, iterations: 30_000, TimeSpan.FromSeconds(5), out FuzzFailure? failure);
        Assert.True(failure is null, $"input {failure?.Iteration}: {Convert.ToHexString(failure?.Input ?? [])}\n{failure?.Exception}");
    }

    [Fact]
    public void A_target_accepts_its_own_seeds()
    {
        foreach (FuzzTarget target in FuzzTargets.All)
        {
            Assert.All(target.Seeds(), seed => Assert.Null(FuzzRunner.Try(target, seed)));
        }
    }
}
