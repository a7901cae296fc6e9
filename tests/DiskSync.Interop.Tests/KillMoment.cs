namespace DiskSync.Interop.Tests;

/// <summary>When a push is killed; the same seed gives the same moment.</summary>
/// <param name="Seed">What it was drawn from.</param>
/// <param name="HasOld">Whether an older copy stands at the destination, from which the staged one is cloned.</param>
/// <param name="StagedBytes">How much is to be staged first; -1 where the staged file need not even exist.</param>
/// <param name="Delay">How long to wait after that.</param>
internal sealed record KillMoment(int Seed, bool HasOld, long StagedBytes, TimeSpan Delay)
{
    /// <summary>Draws a moment: connecting, opening, the copy, the proof and the seal all get their share.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="imageBytes">What is staged when the copy is complete.</param>
    public static KillMoment Draw(int seed, int imageBytes)
    {
        Random dice = KillSettings.Dice(seed);
        bool hasOld = dice.Next(4) == 0;
        return dice.Next(6) switch
        {
            0 => new(seed, hasOld, -1, TimeSpan.FromMilliseconds(dice.Next(700))),
            1 => new(seed, hasOld, 0, TimeSpan.FromMilliseconds(dice.Next(hasOld ? 700 : 30))),
            2 => new(seed, hasOld, imageBytes, TimeSpan.FromMilliseconds(dice.Next(hasOld ? 700 : 60))),

            // A clone is staged whole at once, so only time tells the moments of its copy apart.
            _ => new(seed, hasOld, dice.Next(imageBytes), TimeSpan.FromMilliseconds(dice.Next(hasOld ? 700 : 10))),
        };
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"seed {Seed}: {(HasOld ? "onto an older copy" : "onto nothing")}, "
        + $"{(StagedBytes < 0 ? "after the start" : $"after {StagedBytes} staged bytes")} + {Delay.TotalMilliseconds:0} ms";
}
