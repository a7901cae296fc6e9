namespace DiskSync.Handoff.Ownership;

/// <summary>What a hand-over or a resolving command led to.</summary>
/// <param name="State">Who may write now.</param>
/// <param name="Attempt">The attempt, or <see cref="Guid.Empty"/> where there was nothing to resolve.</param>
/// <param name="Epoch">The epoch of whoever owns; in doubt, the epoch that was ceded.</param>
/// <param name="Message">What happened and what comes next, a sentence or two for people.</param>
/// <param name="Resume">What became of the destination's guest; null where that is not known.</param>
/// <param name="Cause">What kept the answer away; null where nothing did.</param>
public sealed record HandOverResult(
    HandOverState State,
    Guid Attempt,
    ulong Epoch,
    string Message,
    ResumeReport? Resume = null,
    Exception? Cause = null);
