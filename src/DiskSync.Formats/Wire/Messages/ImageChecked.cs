namespace DiskSync.Formats.Wire.Messages;

/// <summary>D to S: the answer to <see cref="CheckImage"/>.</summary>
/// <param name="Identical">Whether it is; then nothing has to be done, and the copy is as good as sealed.</param>
/// <param name="Path">Where the image is.</param>
/// <param name="BytesRead">What was read of it for the sample.</param>
/// <param name="Why">Why it is not, for people; it is opened and compared then as always.</param>
public sealed record ImageChecked(bool Identical, string Path, ulong BytesRead, string Why) : Message;
