using System.Buffers.Binary;
using System.Text;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes a whole NBD connection: negotiation, requests and the data that follow them.</summary>
public static class FuzzNbdServer
{
    private const int Bytes = 1 << 16;
    private static readonly MemoryExport Disk = new(Bytes);
    private static readonly NbdServer Server = new([Disk], new NbdServerOptions { Workers = 1 });

    /// <summary>Conversations with every option and command.</summary>
    public static IReadOnlyList<byte[]> Seeds() =>
    [
        [.. Flags(3), .. Option(NbdOption.List), .. Option(NbdOption.Abort)],
        [.. Flags(1), .. Option(NbdOption.ExportName, "disk"u8.ToArray()), .. Requests()],
        [.. Flags(3), .. Option(NbdOption.StartTls), .. Option(NbdOption.Info, [.. Text("disk"), 0, 2, 0, 1, 0, 3]), .. Go(), .. Requests()],
        [
            .. Flags(3),
            .. Option(NbdOption.StructuredReply),
            .. Option(NbdOption.ListMetaContext, [.. Text(""), 0, 0, 0, 0]),
            .. Option(NbdOption.SetMetaContext, [.. Text("disk"), 0, 0, 0, 1, .. Text("base:allocation")]),
            .. Go(),
            .. Requests(),
        ],
    ];

    /// <summary>Plays one conversation; the server may end it in order, by a protocol error, or because the stream ends.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            Server.Serve(new Conversation(input.ToArray()));
        }
        catch (Exception exception) when (exception is NbdProtocolException or EndOfStreamException)
        {
            // Refused, or cut off.
        }

        if (Disk.Outside is { } outside)
        {
            throw new InvalidOperationException($"a request was let through that leaves the disk: {outside}");
        }
    }

    private static byte[] Requests() =>
    [
        .. Request(NbdCommand.Read, 0, 512),
        .. Request(NbdCommand.Write, 512, 5), 1, 2, 3, 4, 5,
        .. Request(NbdCommand.WriteZeroes, 100, 200, NbdCommandFlags.Fua | NbdCommandFlags.NoHole),
        .. Request(NbdCommand.Trim, 100, 200),
        .. Request(NbdCommand.Cache, 0, 4096),
        .. Request(NbdCommand.BlockStatus, 0, Bytes, NbdCommandFlags.ReqOne),
        .. Request(NbdCommand.Flush, 0, 0),
        .. Request(NbdCommand.Disconnect, 0, 0),
    ];

    private static byte[] Request(NbdCommand command, ulong offset, uint length, NbdCommandFlags flags = NbdCommandFlags.None)
    {
        byte[] bytes = new byte[NbdRequest.Size];
        new NbdRequest(flags, command, offset ^ length, offset, length).Write(bytes);
        return bytes;
    }

    private static byte[] Go() => Option(NbdOption.Go, 0, 0, 0, 0, 0, 0);

    private static byte[] Option(NbdOption option, params byte[] data) =>
        [.. Number(NbdMagic.Option), .. Flags((uint)option), .. Flags((uint)data.Length), .. data];

    private static byte[] Text(string text) => [.. Flags((uint)text.Length), .. Encoding.ASCII.GetBytes(text)];

    private static byte[] Flags(uint number)
    {
        byte[] bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Number(ulong number)
    {
        byte[] bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        return bytes;
    }

    /// <summary>Gives the input out a little at a time, and takes all that is written.</summary>
    private sealed class Conversation(byte[] input) : MemoryStream(input, writable: false)
    {
        public override bool CanWrite => true;

        public override int Read(Span<byte> buffer) => base.Read(buffer.Length > 13 ? buffer[..13] : buffer);

        public override void Write(byte[] buffer, int offset, int count)
        {
            // Nobody reads it.
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            // Nobody reads it.
        }
    }
}
