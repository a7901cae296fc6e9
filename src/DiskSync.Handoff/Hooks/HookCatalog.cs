using System.Text;
using DiskSync.Engine;

namespace DiskSync.Handoff.Hooks;

/// <summary>What a peer may have run here: hooks that the local configuration names, and commands only where it says so (safety rule 11).</summary>
/// <remarks>Immutable.</remarks>
public sealed class HookCatalog
{
    /// <summary>The longest text in bytes, so that it fits the journal with its mark.</summary>
    public const int MaxText = 4000;

    private const string HookMark = "hook:";
    private const string CommandMark = "command:";

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

    /// <summary>What the journal keeps of a peer's text, so that nobody later takes a hook's name for a command.</summary>
    /// <exception cref="DiskSyncException">As <see cref="Resolve"/>; or the text is too long to be kept.</exception>
    public string Record(string text)
    {
        _ = Resolve(text);
        if (Encoding.UTF8.GetByteCount(text) > MaxText)
        {
            throw new DiskSyncException(
                FailureKind.Preflight, $"destination: a resume command may have {MaxText} bytes", "Put it into a script and name that.");
        }

        return text.Length == 0 ? text : (_hooks.ContainsKey(text) ? HookMark : CommandMark) + text;
    }

    /// <summary>The command that a journal's record stands for here: a hook is run as a hook and a command as a command, or not at all.</summary>
    /// <param name="record">What <see cref="Record"/> returned, perhaps in a process with other hooks.</param>
    /// <exception cref="DiskSyncException">The hook is not configured here, or commands are not allowed.</exception>
    public string ResolveRecorded(string record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.StartsWith(CommandMark, StringComparison.Ordinal) && AllowCommands)
        {
            return record[CommandMark.Length..];
        }

        string name = record.StartsWith(HookMark, StringComparison.Ordinal) ? record[HookMark.Length..] : record;
        return name.Length == 0 ? name : _hooks.TryGetValue(name, out string? command) ? command : throw Unknown(name);
    }

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

        return AllowCommands ? text : throw Unknown(text);
    }

    private DiskSyncException Unknown(string text)
    {
        string known = _hooks.Count == 0
            ? "This receiver has no hooks."
            : $"This receiver's hooks are: {string.Join(", ", _hooks.Keys)}.";
        return new DiskSyncException(
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
