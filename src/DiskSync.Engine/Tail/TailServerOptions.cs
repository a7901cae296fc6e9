using DiskSync.Engine.Replication;

namespace DiskSync.Engine.Tail;

/// <summary>How a source serves what is missing at the destination.</summary>
public sealed record TailServerOptions
{
    /// <summary>The limits of the handshakes.</summary>
    public ConnectionOptions Connection { get; init; } = new();

    /// <summary>Connections for the background: what a lost packet holds up is then a part of it only, and the link stays full.</summary>
    /// <remarks>One where each is a process of its own (ssh), or where nothing is ever lost on the way (a Unix socket, this process).</remarks>
    /// <remarks>Over TCP; elsewhere one, as nothing is lost there, and each may be a process of its own (ssh).</remarks>
    public int Background { get; init; } = 4;

    /// <summary>How long to wait before a connection that was lost, or could not be had, is tried again; doubled each time.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest such wait.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a connection may be silent before it is given up: the destination asks for something every ten seconds, needed or not.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a connection has to have lasted for the next one to be dialled without a longer wait than the first.</summary>
    public TimeSpan Lasting { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock of all that.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
