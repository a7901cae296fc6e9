using System.Globalization;
using System.Net;
using DiskSync.Formats.Peers;

namespace DiskSync.Engine.Transports;

/// <summary>Where a receiver listens, as a user writes it: unix:SOCKET or tcp:ADDRESS:PORT.</summary>
/// <remarks>Immutable.</remarks>
public sealed record ListenAddress
{
    private const string UnixPrefix = "unix:";
    private const string TcpPrefix = "tcp:";

    private ListenAddress(string? socketPath, IPAddress? address, int port)
    {
        SocketPath = socketPath;
        Address = address;
        Port = port;
    }

    /// <summary>The Unix socket's path; null for TCP.</summary>
    public string? SocketPath { get; }

    /// <summary>The IP address of TCP; null for every address of this host, and for a Unix socket.</summary>
    public IPAddress? Address { get; }

    /// <summary>The port of TCP; 0 for one that the system chooses.</summary>
    public int Port { get; }

    /// <summary>Whether this is TCP.</summary>
    public bool IsTcp => SocketPath is null;

    /// <summary>Reads an address.</summary>
    /// <exception cref="DiskSyncException">It cannot be understood (kind Usage).</exception>
    public static ListenAddress Parse(string text)
    {
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal) && text.Length > UnixPrefix.Length)
        {
            return new(text[UnixPrefix.Length..], null, 0);
        }

        if (!text.StartsWith(TcpPrefix, StringComparison.Ordinal))
        {
            throw Wrong(text);
        }

        string place = text[TcpPrefix.Length..];
        int colon = place.LastIndexOf(':');
        if (colon < 0 || place.EndsWith(']'))
        {
            // An address alone, its port left out; the last colon of a bracketed one is its own.
            return place.Length == 0 ? throw Wrong(text) : new(null, ParseAddress(place, text), DestinationAddress.DefaultPort);
        }

        string port = place[(colon + 1)..];
        int number = port == "0" ? 0 : PeerName.TryParsePort(port) ?? throw Wrong(text);
        return new(null, colon == 0 ? null : ParseAddress(place[..colon], text), number);
    }

    /// <summary>The same place with the port that the system chose.</summary>
    public ListenAddress WithPort(int port) => new(SocketPath, Address, port);

    /// <summary>The address as its user would write it.</summary>
    public override string ToString() => SocketPath is not null
        ? UnixPrefix + SocketPath
        : string.Create(CultureInfo.InvariantCulture, $"{TcpPrefix}{(Address is null ? string.Empty : PeerName.Of(Address.ToString(), 1)!.WithoutPort)}:{Port}");

    private static IPAddress ParseAddress(string address, string text)
    {
        bool bracketed = address.StartsWith('[') && address.EndsWith(']');
        return PeerName.TryParse(address) is { Port: null } name
            && IPAddress.TryParse(name.Host, out IPAddress? parsed)
            && bracketed == name.Host.Contains(':', StringComparison.Ordinal)
                ? parsed
                : throw Wrong(text);
    }

    private static DiskSyncException Wrong(string text) => new(
        FailureKind.Usage,
        $"--listen '{text}' is neither unix:SOCKET nor tcp:ADDRESS:PORT",
        $"Write it as unix:/run/disksync.sock, tcp:192.0.2.7:{DestinationAddress.DefaultPort}, tcp:[2001:db8::1]:{DestinationAddress.DefaultPort}, or tcp::{DestinationAddress.DefaultPort} for every address of this host.");
}
