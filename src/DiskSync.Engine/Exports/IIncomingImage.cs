namespace DiskSync.Engine.Exports;

/// <summary>An image that may be served as soon as this host owns it, and not a moment sooner (safety rule 7).</summary>
/// <remarks>Calls come one at a time. Disposing it ends the right to serve and closes the image.</remarks>
public interface IIncomingImage : IDisposable
{
    /// <summary>Looks whether the image may be served now, and opens it where it may. Not called again once it has been opened.</summary>
    /// <returns>How it stands; failures are reasons in it, never thrown.</returns>
    IncomingStanding Look();
}
