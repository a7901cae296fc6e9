using DiskSync.Engine;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>QEMU answered a command with an error: the connection is alive and the next command may succeed.</summary>
public sealed class QmpCommandException : DiskSyncException
{
    /// <summary>Describes the answer.</summary>
    /// <param name="side">Whose QEMU it is.</param>
    /// <param name="socket">Its socket.</param>
    /// <param name="command">The command.</param>
    /// <param name="errorClass">QMP's error class, such as GenericError.</param>
    /// <param name="description">QMP's description.</param>
    public QmpCommandException(Side side, string socket, string command, string errorClass, string description)
        : base(
            side == Side.Source ? FailureKind.Source : FailureKind.Destination,
            $"{side.ToString().ToLowerInvariant()}: QEMU at {socket} refused {command}: {description.TrimEnd('.')} ({errorClass})")
    {
        Command = command;
        ErrorClass = errorClass;
        Description = description;
    }

    /// <summary>The command.</summary>
    public string Command { get; }

    /// <summary>QMP's error class: GenericError, CommandNotFound, DeviceNotFound, DeviceNotActive, KVMMissingCap.</summary>
    public string ErrorClass { get; }

    /// <summary>QMP's description, for people.</summary>
    public string Description { get; }
}
