namespace DiskSync.Handoff.Tests.World;

/// <summary>Where the link breaks: at which message, and whether the request is lost or only its answer.</summary>
public readonly record struct LinkCut(int Message, bool AnswerOnly)
{
    public static LinkCut None => new(-1, false);
}
