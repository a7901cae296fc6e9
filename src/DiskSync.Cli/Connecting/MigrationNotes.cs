using System.Globalization;
using DiskSync.Cli.Running;
using DiskSync.Handoff.Migration;

namespace DiskSync.Cli.Connecting;

/// <summary>Tells the user what a migration has to say while it runs.</summary>
/// <param name="context">Where notes go.</param>
internal sealed class MigrationNotes(CommandContext context) : IMigrationEvents
{
    /// <inheritdoc/>
    public void Entered(MigrationState state)
    {
        if (state == MigrationState.Paused)
        {
            context.Output.Note("pausing the machine");
        }
    }

    /// <inheritdoc/>
    public void Forecasted(Forecast forecast, TimeSpan maxDowntime) => context.Output.Note(string.Create(
        CultureInfo.InvariantCulture,
        $"forecast of the downtime: {forecast.Total.TotalSeconds:0.00} s (scan {forecast.Scan.TotalSeconds:0.00}, delta {forecast.Delta.TotalSeconds:0.00}, flush and proof {forecast.Flush.TotalSeconds:0.00}, hooks {forecast.Hooks.TotalSeconds:0.00}{(forecast.HooksAreGuessed ? ", a guess: they have not been run from here yet" : string.Empty)}); accepted: {maxDowntime.TotalSeconds:0.00} s"));

    /// <inheritdoc/>
    public void Notice(string text) => context.Output.Note(text);
}
