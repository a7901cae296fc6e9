namespace DiskSync.Handoff.Ownership;

/// <summary>What to do with an attempt that is CEDED here and PREPARED there, where both ways are open.</summary>
public enum CededWish
{
    /// <summary>Send COMMIT again: the destination takes over. What <c>migrate</c> run again and <c>owner</c> do.</summary>
    Complete = 0,

    /// <summary>Ask for REFUSED: the source takes back with epoch N+2. What <c>owner --return</c> does at the source.</summary>
    CallOff = 1,
}
