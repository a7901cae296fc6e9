using System.Reflection;

namespace DiskSync.Engine;

/// <summary>The program's name and version as peers and users see it.</summary>
public static class ProductVersion
{
    /// <summary>For example "disksync 0.1.0".</summary>
    public static string Text { get; } = "disksync " + Number;

    /// <summary>For example "0.1.0".</summary>
    public static string Number =>
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
}
