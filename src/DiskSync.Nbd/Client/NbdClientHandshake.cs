using System.Buffers.Binary;
using System.Net.Security;
using System.Numerics;
using System.Security.Authentication;
using System.Text;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Client;

/// <summary>The client's part of a connection before the first request: fixed newstyle negotiation, and the oldest way for old servers.</summary>
/// <remarks>Source: the NBD protocol, "Newstyle negotiation". Nothing that was learnt in the clear is believed within TLS. Used by one thread.</remarks>
/// <param name="stream">The connection.</param>
/// <param name="options">How.</param>
internal sealed class NbdClientHandshake(Stream stream, NbdClientOptions options)
{
    private const int ReplyHead = 20;
    private const int ReservedBytes = 124;
    private const int MostReplies = 4096;
    private const int MostExports = 4096;
    private const ulong OldStyle = 0x00420281861253;
    private const int DefaultPreferredBlock = 4096;
    private const int LargestMinimumBlock = 64 << 10;

    // Where nothing is said about sizes; what every server takes.
    private const int CautiousBlock = 512;

    private readonly byte[] _head = new byte[ReplyHead];
    private readonly Dictionary<string, uint> _kinds = [];
    private Stream _stream = stream;
    private bool _isTls;
    private bool _isStructured;
    private bool _skipsZeroes;
    private string _description = string.Empty;
    private (int Minimum, int Preferred, int Maximum)? _sizes;

    /// <summary>Negotiates up to the first request.</summary>
    /// <exception cref="NbdConnectionException">The server does not keep to the protocol, or TLS could not be agreed on.</exception>
    /// <exception cref="NbdRefusedException">The server refuses.</exception>
    /// <exception cref="IOException">The connection is lost.</exception>
    public NbdClientAgreement Run()
    {
        if (!Greet())
        {
            return ExportName();
        }

        StartTls();
        _isStructured = !Ask(NbdOption.StructuredReply).IsError;
        ChooseKinds();
        byte[] name = Encoding.UTF8.GetBytes(options.ExportName);
        byte[] query = [.. Number((uint)name.Length), .. name, 0, 2, 0, (byte)NbdInfoType.BlockSize, 0, (byte)NbdInfoType.Description];
        (ulong Length, NbdTransmissionFlags Flags)? export = null;
        NbdOptionReply last = Ask(NbdOption.Go, query, info => export = Info(info) ?? export);
        if (last.Type is NbdOptionReplyType.ErrorUnsupported)
        {
            return ExportName();
        }

        ThrowIfError(last, $"the export '{options.ExportName}'");
        return export is { } known
            ? Agree(known.Length, known.Flags, _sizes ?? (1, DefaultPreferredBlock, NbdLimits.MaxPayload))
            : throw NbdReplyReader.Violation("it begins with an export and does not say how long it is");
    }

    /// <summary>Asks which exports there are, and goes.</summary>
    /// <exception cref="NbdConnectionException">The server does not keep to the protocol, or TLS could not be agreed on.</exception>
    /// <exception cref="NbdRefusedException">The server does not tell.</exception>
    /// <exception cref="IOException">The connection is lost.</exception>
    public IReadOnlyList<NbdExportEntry> List()
    {
        List<NbdExportEntry> exports = [];
        if (!Greet())
        {
            throw new NbdRefusedException(NbdOptionReplyType.ErrorUnsupported, "the server is too old to list its exports");
        }

        StartTls();
        ThrowIfError(Ask(NbdOption.List, [], reply => exports.Add(Entry(reply, exports.Count))), "the list of exports");
        Send(NbdOption.Abort, []);
        return exports;
    }

    /// <returns>Whether options can be negotiated.</returns>
    private bool Greet()
    {
        Span<byte> hello = stackalloc byte[18];
        _stream.ReadExactly(hello[..16]);
        ulong style = BinaryPrimitives.ReadUInt64BigEndian(hello[8..]);
        if (BinaryPrimitives.ReadUInt64BigEndian(hello) != NbdMagic.Init || style is not (NbdMagic.Option or OldStyle))
        {
            throw NbdReplyReader.Violation("it does not greet as an NBD server does");
        }

        if (style == OldStyle)
        {
            throw NbdReplyReader.Violation("it speaks the oldstyle protocol, which nothing after 2011 should");
        }

        _stream.ReadExactly(hello[16..]);
        NbdHandshakeFlags flags = (NbdHandshakeFlags)BinaryPrimitives.ReadUInt16BigEndian(hello[16..])
            & (NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes);
        _skipsZeroes = flags.HasFlag(NbdHandshakeFlags.NoZeroes);
        _stream.Write(Number((uint)flags));
        return flags.HasFlag(NbdHandshakeFlags.FixedNewstyle);
    }

    private void StartTls()
    {
        if (options.Tls is not { } tls)
        {
            return;
        }

        ThrowIfError(Ask(NbdOption.StartTls), "TLS");
        SslStream secure = new(_stream, leaveInnerStreamOpen: false);
        try
        {
            secure.AuthenticateAsClient(tls);
        }
        catch (AuthenticationException exception)
        {
            throw new NbdConnectionException(
                NbdConnectionFailure.Tls, $"TLS could not be agreed on: {exception.InnerException?.Message ?? exception.Message}", exception);
        }

        (_stream, _isTls) = (secure, true);
    }

    private void ChooseKinds()
    {
        if (!_isStructured || options.StatusKinds.Count == 0)
        {
            return;
        }

        byte[] name = Encoding.UTF8.GetBytes(options.ExportName);
        byte[] query =
        [
            .. Number((uint)name.Length), .. name, .. Number((uint)options.StatusKinds.Count),
            .. options.StatusKinds.SelectMany(k => (byte[])[.. Number((uint)Encoding.UTF8.GetByteCount(k)), .. Encoding.UTF8.GetBytes(k)]),
        ];
        NbdOptionReply last = Ask(NbdOption.SetMetaContext, query, reply =>
        {
            if (reply.Type != NbdOptionReplyType.MetaContext || reply.Data.Length < sizeof(uint))
            {
                throw NbdReplyReader.Violation($"it answers {NbdOption.SetMetaContext} with {reply.Type}");
            }

            string kind = Encoding.UTF8.GetString(reply.Data, sizeof(uint), reply.Data.Length - sizeof(uint));
            uint number = BinaryPrimitives.ReadUInt32BigEndian(reply.Data);
            if (!options.StatusKinds.Contains(kind, StringComparer.Ordinal) || _kinds.ContainsValue(number) || !_kinds.TryAdd(kind, number))
            {
                throw NbdReplyReader.Violation("it offers kinds of block status that were not asked for, or one twice");
            }
        });
        if (last.IsError)
        {
            _kinds.Clear();
        }
    }

    /// <returns>Length and flags, where the answer tells of those.</returns>
    private (ulong Length, NbdTransmissionFlags Flags)? Info(NbdOptionReply reply)
    {
        if (reply.Type != NbdOptionReplyType.Info || reply.Data.Length < sizeof(ushort))
        {
            throw NbdReplyReader.Violation($"it answers {NbdOption.Go} with {reply.Type}");
        }

        ReadOnlySpan<byte> fields = reply.Data.AsSpan(sizeof(ushort));
        switch ((NbdInfoType)BinaryPrimitives.ReadUInt16BigEndian(reply.Data))
        {
            case NbdInfoType.Export when fields.Length == 10:
                return (BinaryPrimitives.ReadUInt64BigEndian(fields), (NbdTransmissionFlags)BinaryPrimitives.ReadUInt16BigEndian(fields[8..]));
            case NbdInfoType.BlockSize when fields.Length == 12:
                _sizes = Sizes(fields);
                return null;
            case NbdInfoType.Export or NbdInfoType.BlockSize:
                throw NbdReplyReader.Violation("it tells of its export in a wrong number of bytes");
            case NbdInfoType.Description:
                _description = NbdText.Show(fields);
                return null;
            default:
                return null;
        }
    }

    private static (int Minimum, int Preferred, int Maximum) Sizes(ReadOnlySpan<byte> fields)
    {
        uint minimum = BinaryPrimitives.ReadUInt32BigEndian(fields);
        uint preferred = BinaryPrimitives.ReadUInt32BigEndian(fields[4..]);
        uint maximum = Math.Min(BinaryPrimitives.ReadUInt32BigEndian(fields[8..]), NbdLimits.MaxPayload);
        maximum -= minimum is > 0 and <= LargestMinimumBlock ? maximum % minimum : 0;
        if (!BitOperations.IsPow2(minimum) || minimum > LargestMinimumBlock || !BitOperations.IsPow2(preferred) || preferred < minimum || maximum < minimum)
        {
            throw NbdReplyReader.Violation($"it asks for requests of {minimum}, {preferred} and {maximum} bytes, which cannot be");
        }

        return ((int)minimum, (int)Math.Min(preferred, NbdLimits.MaxPayload), (int)maximum);
    }

    private NbdClientAgreement ExportName()
    {
        if (options.Tls is not null && !_isTls)
        {
            throw new NbdRefusedException(NbdOptionReplyType.ErrorUnsupported, "the server is too old for TLS");
        }

        // Kinds of block status may be used after this option too, but a server this old has none.
        _kinds.Clear();
        Send(NbdOption.ExportName, Encoding.UTF8.GetBytes(options.ExportName));
        byte[] answer = new byte[sizeof(ulong) + sizeof(ushort) + (_skipsZeroes ? 0 : ReservedBytes)];
        try
        {
            _stream.ReadExactly(answer);
        }
        catch (EndOfStreamException)
        {
            // The only way in which this option can be refused.
            throw new NbdRefusedException(NbdOptionReplyType.ErrorUnknown, $"the server refuses the export '{options.ExportName}'");
        }

        ulong length = BinaryPrimitives.ReadUInt64BigEndian(answer);
        int minimum = length % CautiousBlock == 0 ? CautiousBlock : 1;
        return Agree(
            length,
            (NbdTransmissionFlags)BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(sizeof(ulong))),
            (minimum, DefaultPreferredBlock, NbdLimits.MaxPayload));
    }

    private NbdClientAgreement Agree(ulong length, NbdTransmissionFlags flags, (int Minimum, int Preferred, int Maximum) sizes)
    {
        if (length > long.MaxValue)
        {
            throw NbdReplyReader.Violation($"it serves an export of {length} bytes");
        }

        return new NbdClientAgreement(
            _stream,
            new NbdExportInfo(
                (long)length,
                flags,
                sizes.Minimum,
                sizes.Preferred,
                sizes.Maximum,
                _description,
                [.. options.StatusKinds.Where(_kinds.ContainsKey)],
                _isStructured,
                _isTls),
            _kinds);
    }

    private static NbdExportEntry Entry(NbdOptionReply reply, int before)
    {
        uint length = reply.Data.Length < sizeof(uint) ? uint.MaxValue : BinaryPrimitives.ReadUInt32BigEndian(reply.Data);
        if (reply.Type != NbdOptionReplyType.Server || length > reply.Data.Length - sizeof(uint) || length > NbdLimits.MaxString || before == MostExports)
        {
            throw NbdReplyReader.Violation("its list of exports does not hold what it should, or too much");
        }

        ReadOnlySpan<byte> rest = reply.Data.AsSpan(sizeof(uint));
        return new NbdExportEntry(Encoding.UTF8.GetString(rest[..(int)length]), NbdText.Show(rest[(int)length..]));
    }

    private static void ThrowIfError(NbdOptionReply last, string what)
    {
        if (!last.IsError)
        {
            return;
        }

        string why = last.Type switch
        {
            NbdOptionReplyType.ErrorTlsRequired => "it wants TLS",
            NbdOptionReplyType.ErrorUnknown => "there is no such export",
            NbdOptionReplyType.ErrorPolicy => "that is not allowed here",
            NbdOptionReplyType.ErrorUnsupported => "it does not know that option",
            NbdOptionReplyType.ErrorShutdown => "it is going away",
            _ => $"reply {last.Type}",
        };
        string said = NbdText.Show(last.Data);
        throw new NbdRefusedException(last.Type, $"the server refuses {what}: {why}{(said.Length > 0 ? $" ({said})" : string.Empty)}");
    }

    /// <returns>The last answer: ACK or an error.</returns>
    private NbdOptionReply Ask(NbdOption option, byte[]? data = null, Action<NbdOptionReply>? onReply = null)
    {
        Send(option, data ?? []);
        for (int i = 0; i < MostReplies; i++)
        {
            NbdOptionReply reply = ReadReply(option);
            if (reply.IsError || reply.Type == NbdOptionReplyType.Ack)
            {
                return reply;
            }

            (onReply ?? throw NbdReplyReader.Violation($"it answers {option} with {reply.Type}"))(reply);
        }

        throw NbdReplyReader.Violation($"it does not come to an end of answering {option}");
    }

    private void Send(NbdOption option, byte[] data)
    {
        byte[] message = new byte[16 + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(message, NbdMagic.Option);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), (uint)option);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(12), (uint)data.Length);
        data.CopyTo(message.AsSpan(16));
        _stream.Write(message);
    }

    private NbdOptionReply ReadReply(NbdOption option)
    {
        _stream.ReadExactly(_head);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(16));
        if (BinaryPrimitives.ReadUInt64BigEndian(_head) != NbdMagic.OptionReply
            || BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(8)) != (uint)option
            || length > NbdLimits.MaxOption)
        {
            throw NbdReplyReader.Violation($"what it sends is no answer to {option}");
        }

        byte[] data = new byte[length];
        _stream.ReadExactly(data);
        return new NbdOptionReply((NbdOptionReplyType)BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(12)), data);
    }

    private static byte[] Number(uint number)
    {
        byte[] bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return bytes;
    }
}
