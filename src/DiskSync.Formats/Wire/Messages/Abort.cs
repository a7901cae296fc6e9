namespace DiskSync.Formats.Wire.Messages;

/// <summary>Either way: the session has failed; nothing follows.</summary>
/// <remarks>Undoes nothing: what is staged stays, and records of a hand-over decide as without it. Texts are shown to the user as they are, escaped.</remarks>
/// <param name="Code">The kind of failure.</param>
/// <param name="AtDestination">On which side it happened.</param>
/// <param name="Image">The image, or empty.</param>
/// <param name="Offset">The byte offset, or -1.</param>
/// <param name="Reason">What happened.</param>
/// <param name="Advice">What to do next.</param>
public sealed record Abort(
    AbortCode Code,
    bool AtDestination,
    string Image,
    long Offset,
    string Reason,
    string Advice) : Message;
