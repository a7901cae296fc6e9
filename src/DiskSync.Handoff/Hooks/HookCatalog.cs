using DiskSync.Engine;

namespace DiskSync.Handoff.Hooks;

/// <summary>What a peer may have run here: hooks that the local configuration names, and commands only where it says so (safety rule 11).</summary>
/// <remarks>Immutable.</remarks>
public sealed class HookCatalog
{
    private readonly SortedDictionary<string, string> _hooks = new(StringComparer.Ordinal);

    /// <summary>Takes the configured hooks.</summary>
    /// <param name="definitions">NAME=CMD each, as <c>--hook</c> is given.</param>
    /// <param name="allowCommands">
    /// Whether a text that is no hook's name is run as a command: true over <c>--stdio</c> only, where the peer got
    /// in as a user who could run any command anyway.
    /// </param>
    /// <exception cref="DiskSyncException">A definition is not NAME=CMD, or a name occurs twice.</exception>
    public HookCatalog(IEnumerable<string> definitions, bool allowCommands)
    {
        ArgumentNullException.ThrowIfNull(definitions);
        AllowCommands = allowCommands;
        foreach (string definition in definitions)
        {
            int equals = definition.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? definition : definition[..equals];
            if (equals <= 0 || equals == definition.Length - 1 || !IsName(name))
            {
                throw new DiskSyncException(
                    FailureKind.Usage,
                    $"--hook {definition}: not of the form NAME=CMD",
                    "NAME is made of letters, digits, '-', '_' and '.'.");
            }

            if (!_hooks.TryAdd(name, definition[(equals + 1)..]))
            {
                throw new DiskSyncException(FailureKind.Usage, $"--hook {name} is given twice", "Give each hook a name of its own.");
            }
        }
    }

    /// <summary>Runs no commands and knows no hooks.</summary>
    public static HookCatalog Empty { get; } = new([], allowCommands: false);

    /// <summary>Whether a text that is no hook's name is run as a command.</summary>
    public bool AllowCommands { get; }

    /// <summary>The hooks' names, sorted.</summary>
    public IReadOnlyCollection<string> Names => _hooks.Keys;

    /// <summary>The command that a peer's text stands for.</summary>
    /// <param name="text">A hook's name, a command where those are allowed, or nothing.</param>
    /// <returns>The command for <c>/bin/sh -c</c>; empty for an empty text.</returns>
    /// <exception cref="DiskSyncException">No hook has that name; the message lists those there are.</exception>
    public string Resolve(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length == 0)
        {
            return string.Empty;
        }

        if (_hooks.TryGetValue(text, out string? command))
        {
            return command;
        }

        if (AllowCommands)
        {
            return text;
        }

        string known = _hooks.Count == 0
            ? "This receiver has no hooks."
            : $"This receiver's hooks are: {string.Join(", ", _hooks.Keys)}.";
        throw new DiskSyncException(
            FailureKind.Preflight,
            $"destination: no hook is named '{Shorten(text)}'",
            known + " A listening receiver runs only hooks of its own configuration; add it there with --hook NAME=CMD.");
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static string Shorten(string text)
    {
        string clean = new([.. text.Take(80).Select(c => char.IsControl(c) ? '?' : c)]);
        return text.Length > 80 ? clean + "..." : clean;
    }
}
