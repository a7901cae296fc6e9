namespace DiskSync.Service.Data;

/// <summary>Counts connections: those that have proven who they are, and strangers, each with a limit of its own.</summary>
/// <remarks>Thread safe. Strangers have a limit of their own so that they can never take the places of those we know.</remarks>
/// <param name="maxConnections">Most connections that are admitted.</param>
/// <param name="maxStrangers">Most connections that are not admitted yet.</param>
internal sealed class ConnectionGate(int maxConnections, int maxStrangers)
{
    private readonly Lock _lock = new();
    private int _admitted;
    private int _strangers;
    private int _served;

    /// <summary>How many have been admitted since the start.</summary>
    public int Served
    {
        get
        {
            lock (_lock)
            {
                return _served;
            }
        }
    }

    /// <summary>Lets a connection in as a stranger.</summary>
    /// <returns>Whether there was a place; it is given back with <see cref="Leave"/>.</returns>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_strangers >= maxStrangers)
            {
                return false;
            }

            _strangers++;
            return true;
        }
    }

    /// <summary>A stranger has proven who it is.</summary>
    /// <returns>False where as many as are allowed are being served; it stays a stranger then.</returns>
    public bool TryAdmit()
    {
        lock (_lock)
        {
            if (_admitted >= maxConnections)
            {
                return false;
            }

            _strangers--;
            _admitted++;
            _served++;
            return true;
        }
    }

    /// <summary>A connection has ended.</summary>
    /// <param name="admitted">Whether it had been admitted.</param>
    public void Leave(bool admitted)
    {
        lock (_lock)
        {
            if (admitted)
            {
                _admitted--;
            }
            else
            {
                _strangers--;
            }
        }
    }
}
