namespace DiskSync.TestSupport.PowerCuts;

/// <summary>The simulated machine stopped in the middle of an operation. Nobody may catch it but the one who runs the simulation.</summary>
public sealed class PowerCutException() : Exception("the machine stopped");
