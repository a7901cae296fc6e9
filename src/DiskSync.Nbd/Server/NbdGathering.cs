namespace DiskSync.Nbd.Server;

/// <summary>Lets requests gather before the next look at the socket, where that has been shown to pay.</summary>
/// <remarks>
/// A server that is quicker than a client with many requests under way is woken for each single one, and wakes the client
/// for each single answer; that takes more time, at both ends, than the requests. A pause that is shorter than what the
/// client still has to do lets both do several per wake-up. Whether there is such a client is found out by trying: a
/// pause in which few requests arrived is followed by none for ever longer, so that who waits for each answer loses nothing
/// that could be measured. Used by the connection's own thread.
/// </remarks>
/// <param name="pause">Waits some tens of microseconds; null for never.</param>
internal sealed class NbdGathering(Action? pause)
{
    // Below that the client may have had nothing to do but to wait for us.
    private const int Worthwhile = 6;
    private const int FirstRefrain = 64;
    private const int LongestRefrain = 4096;

    private int _handled;
    private int _refrain = FirstRefrain;
    private int _left = FirstRefrain;
    private bool _hasPaused;

    /// <summary>A request was handled.</summary>
    public void Handled() => _handled++;

    /// <summary>All that had arrived is handled and answered: waits, or not.</summary>
    public void Wait()
    {
        if (pause is null)
        {
            return;
        }

        if (_hasPaused && _handled >= Worthwhile)
        {
            _refrain = FirstRefrain;
        }
        else if (_hasPaused)
        {
            _left = _refrain;
            _refrain = Math.Min(4 * _refrain, LongestRefrain);
        }

        _handled = 0;
        _hasPaused = --_left <= 0;
        if (_hasPaused)
        {
            pause();
        }
    }
}
