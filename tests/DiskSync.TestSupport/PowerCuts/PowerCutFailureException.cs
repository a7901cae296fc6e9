namespace DiskSync.TestSupport.PowerCuts;

/// <summary>A power-cut run found that something promised was not so.</summary>
public sealed class PowerCutFailureException(string message) : Exception(message);
