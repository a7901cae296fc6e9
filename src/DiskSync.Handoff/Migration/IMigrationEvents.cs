namespace DiskSync.Handoff.Migration;

/// <summary>Hears how a migration goes on; called from its own flow, so it must be quick and must not throw.</summary>
public interface IMigrationEvents
{
    /// <summary>A new state.</summary>
    void Entered(MigrationState state);

    /// <summary>The forecast, before the guest is paused.</summary>
    /// <param name="forecast">What the pause is expected to take.</param>
    /// <param name="maxDowntime">What is accepted.</param>
    void Forecasted(Forecast forecast, TimeSpan maxDowntime);

    /// <summary>Something that the user should know.</summary>
    void Notice(string text);
}
