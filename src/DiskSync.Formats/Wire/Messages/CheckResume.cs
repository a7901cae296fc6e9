namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: would you run this at the hand-over?</summary>
/// <remarks>Answered by <see cref="ResumeChecked"/>, or with Abort where it would not. Asked before anything is copied, so that a mistyped hook costs no pause.</remarks>
/// <param name="Resume">As in <see cref="Prepare"/>.</param>
public sealed record CheckResume(string Resume) : Message;
