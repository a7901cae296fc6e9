namespace DiskSync.Cli.Running;

/// <summary>The program's version.</summary>
internal static class AppVersion
{
    /// <summary>As built: three numbers.</summary>
    public static string Text { get; } = typeof(AppVersion).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
}
