using System.Globalization;
using DiskSync.Cli.Running;
using DiskSync.Handoff.Migration;

namespace DiskSync.Cli.Connecting;

/// <summary>Tells the user what a migration has to say while it runs.</summary>
/// <param name="context">Where notes go.</param>
internal sealed class MigrationNotes(CommandContext context) : IMigrationEvents
{
    private bool _copiesMemory;

    /// <inheritdoc/>
    public void Entered(MigrationState state)
    {
        switch (state)
        {
            case MigrationState.CopyingMemory:
                _copiesMemory = true;
                context.Output.Note("copying the machine's memory while it runs; QEMU pauses it at the end of that");
                break;
            case MigrationState.Paused:
                context.Output.Note(_copiesMemory ? "the machine is paused" : "pausing the machine");
                break;
        }
    }

    /// <inheritdoc/>
    public void Forecasted(Forecast forecast, TimeSpan maxDowntime) => context.Output.Note(string.Create(
        CultureInfo.InvariantCulture,
        $"forecast of the downtime: {forecast.Total.TotalSeconds:0.00} s (scan {forecast.Scan.TotalSeconds:0.00}, delta {forecast.Delta.TotalSeconds:0.00}, flush and proof {forecast.Flush.TotalSeconds:0.00}, hooks {forecast.Hooks.TotalSeconds:0.00}{(forecast.HooksAreGuessed ? ", a guess: they have not been run from here yet" : string.Empty)}); accepted: {maxDowntime.TotalSeconds:0.00} s"));

    /// <inheritdoc/>
    public void Notice(string text) => context.Output.Note(text);
}
