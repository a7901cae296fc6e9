using System.Buffers.Binary;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>The part of a connection before the first request: fixed newstyle negotiation.</summary>
/// <remarks>
/// Source: the NBD protocol, "Newstyle negotiation". Nothing is read beyond the option at hand, so that nothing sent
/// before TLS can be taken for something sent within it. Used by one thread.
/// </remarks>
/// <param name="stream">The connection.</param>
/// <param name="exports">What there is; the first is also the one without a name.</param>
/// <param name="options">How.</param>
/// <param name="requiresTls">Whether this client gets nothing before TLS.</param>
internal sealed class NbdHandshake(Stream stream, IReadOnlyList<INbdExport> exports, NbdServerOptions options, bool requiresTls)
{
    private const int OptionHeader = 16;
    private const int OptionReplyHeader = 20;
    private const int ReservedBytes = 124;

    private readonly byte[] _header = new byte[OptionReplyHeader];
    private Stream _stream = stream;
    private bool _isTls;
    private bool _isStructured;
    private bool _skipsZeroes;
    private INbdExport? _statusExport;
    private int[] _statusKinds = [];

    /// <summary>Negotiates.</summary>
    /// <returns>What was agreed on, or null where the client has gone in order.</returns>
    /// <exception cref="NbdProtocolException">The client does not keep to the protocol.</exception>
    /// <exception cref="IOException">The connection is lost.</exception>
    public NbdAgreement? Run()
    {
        Greet();
        for (int i = 0; i < NbdLimits.MaxOptions; i++)
        {
            (NbdOption option, byte[]? data) = ReadOption();
            if (option == NbdOption.Abort)
            {
                Reply(option, NbdOptionReplyType.Ack);
                return null;
            }

            if (data is null)
            {
                Refuse(option, NbdOptionReplyType.ErrorTooBig, "the option is too long");
            }
            else if (requiresTls && !_isTls && option != NbdOption.StartTls)
            {
                Refuse(option, NbdOptionReplyType.ErrorTlsRequired, "this server needs TLS: ask for NBD_OPT_STARTTLS first");
            }
            else if (Answer(option, data) is { } export)
            {
                return new(export, _stream, _isStructured, ReferenceEquals(export, _statusExport) ? _statusKinds : []);
            }
        }

        throw new NbdProtocolException($"the client sent {NbdLimits.MaxOptions} options and chose no export");
    }

    private void Greet()
    {
        Span<byte> hello = stackalloc byte[18];
        BinaryPrimitives.WriteUInt64BigEndian(hello, NbdMagic.Init);
        BinaryPrimitives.WriteUInt64BigEndian(hello[8..], NbdMagic.Option);
        BinaryPrimitives.WriteUInt16BigEndian(hello[16..], (ushort)(NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes));
        _stream.Write(hello);
        Span<byte> answer = stackalloc byte[4];
        _stream.ReadExactly(answer);
        NbdHandshakeFlags flags = (NbdHandshakeFlags)BinaryPrimitives.ReadUInt32BigEndian(answer);
        if ((flags & ~(NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes)) != 0)
        {
            throw new NbdProtocolException($"the client wants handshake flags that were not offered: 0x{(uint)flags:x}");
        }

        // Without the first flag, which clients older than 2011 do not know, answers to options would be taken for an export.
        if (!flags.HasFlag(NbdHandshakeFlags.FixedNewstyle))
        {
            throw new NbdProtocolException("the client does not know fixed newstyle negotiation");
        }

        _skipsZeroes = flags.HasFlag(NbdHandshakeFlags.NoZeroes);
    }

    /// <returns>The option's data; null where there are too many, which have been skipped.</returns>
    private (NbdOption Option, byte[]? Data) ReadOption()
    {
        Span<byte> header = _header.AsSpan(0, OptionHeader);
        _stream.ReadExactly(header);
        if (BinaryPrimitives.ReadUInt64BigEndian(header) != NbdMagic.Option)
        {
            throw new NbdProtocolException("what the client sent is no option");
        }

        NbdOption option = (NbdOption)BinaryPrimitives.ReadUInt32BigEndian(header[8..]);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(header[12..]);
        if (length > 4 * NbdLimits.MaxOption)
        {
            throw new NbdProtocolException($"the client announced an option of {length} bytes");
        }

        byte[] data = new byte[length];
        _stream.ReadExactly(data);
        return (option, length > NbdLimits.MaxOption ? null : data);
    }

    /// <returns>The export that was chosen, if this was the last option.</returns>
    private INbdExport? Answer(NbdOption option, byte[] data)
    {
        switch (option)
        {
            case NbdOption.ExportName:
                return ExportName(data);
            case NbdOption.Go:
            case NbdOption.Info:
                return Info(option, data);
            case NbdOption.List:
                List(data);
                return null;
            case NbdOption.StartTls:
                StartTls(data);
                return null;
            case NbdOption.StructuredReply:
                Structured(data);
                return null;
            case NbdOption.ListMetaContext:
            case NbdOption.SetMetaContext:
                MetaContext(option, data);
                return null;
            default:
                Refuse(option, NbdOptionReplyType.ErrorUnsupported, "this server does not know that option");
                return null;
        }
    }

    private INbdExport ExportName(byte[] data)
    {
        // This option has no answer for a name that does not exist.
        INbdExport export = Find(Encoding.UTF8.GetString(data))
            ?? throw new NbdProtocolException($"the client asked for the export '{Encoding.UTF8.GetString(data)}', which there is not");
        byte[] answer = new byte[sizeof(ulong) + sizeof(ushort) + (_skipsZeroes ? 0 : ReservedBytes)];
        BinaryPrimitives.WriteUInt64BigEndian(answer, (ulong)export.Length);
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(sizeof(ulong)), (ushort)FlagsOf(export));
        _stream.Write(answer);
        return export;
    }

    private INbdExport? Info(NbdOption option, byte[] data)
    {
        NbdOptionReader reader = new(data);
        if (!reader.TryTake(out string name) || !reader.TryTake(out ushort count))
        {
            Refuse(option, NbdOptionReplyType.ErrorInvalid, "the option does not hold what it should");
            return null;
        }

        HashSet<NbdInfoType> wanted = [];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryTake(out ushort type))
            {
                Refuse(option, NbdOptionReplyType.ErrorInvalid, "the option announces more than it holds");
                return null;
            }

            wanted.Add((NbdInfoType)type);
        }

        if (!reader.IsAtEnd)
        {
            Refuse(option, NbdOptionReplyType.ErrorInvalid, "the option holds more than it announces");
            return null;
        }

        if (Find(name) is not { } export)
        {
            Refuse(option, NbdOptionReplyType.ErrorUnknown, $"there is no export '{name}' here");
            return null;
        }

        if (export.MinimumBlock > 1 && option == NbdOption.Go && !wanted.Contains(NbdInfoType.BlockSize))
        {
            Refuse(option, NbdOptionReplyType.ErrorBlockSizeRequired, $"requests have to be multiples of {export.MinimumBlock} bytes: ask for NBD_INFO_BLOCK_SIZE and heed it");
            return null;
        }

        Tell(option, export, wanted);
        Reply(option, NbdOptionReplyType.Ack);
        return option == NbdOption.Go ? export : null;
    }

    private void Tell(NbdOption option, INbdExport export, HashSet<NbdInfoType> wanted)
    {
        Span<byte> fields = stackalloc byte[14];
        BinaryPrimitives.WriteUInt16BigEndian(fields, (ushort)NbdInfoType.Export);
        BinaryPrimitives.WriteUInt64BigEndian(fields[2..], (ulong)export.Length);
        BinaryPrimitives.WriteUInt16BigEndian(fields[10..], (ushort)FlagsOf(export));
        Reply(option, NbdOptionReplyType.Info, fields[..12]);
        if (wanted.Contains(NbdInfoType.Name))
        {
            Reply(option, NbdOptionReplyType.Info, [0, (byte)NbdInfoType.Name, .. Encoding.UTF8.GetBytes(export.Name)]);
        }

        if (wanted.Contains(NbdInfoType.Description) && export.Description.Length > 0)
        {
            Reply(option, NbdOptionReplyType.Info, [0, (byte)NbdInfoType.Description, .. Encoding.UTF8.GetBytes(export.Description)]);
        }

        if (wanted.Contains(NbdInfoType.BlockSize))
        {
            BinaryPrimitives.WriteUInt16BigEndian(fields, (ushort)NbdInfoType.BlockSize);
            BinaryPrimitives.WriteUInt32BigEndian(fields[2..], (uint)export.MinimumBlock);
            BinaryPrimitives.WriteUInt32BigEndian(fields[6..], (uint)export.PreferredBlock);
            BinaryPrimitives.WriteUInt32BigEndian(fields[10..], NbdLimits.MaxPayload);
            Reply(option, NbdOptionReplyType.Info, fields);
        }
    }

    private void List(byte[] data)
    {
        if (data.Length > 0)
        {
            Refuse(NbdOption.List, NbdOptionReplyType.ErrorInvalid, "NBD_OPT_LIST holds nothing");
            return;
        }

        foreach (INbdExport export in exports)
        {
            byte[] name = Encoding.UTF8.GetBytes(export.Name);
            byte[] entry = new byte[sizeof(uint) + name.Length];
            BinaryPrimitives.WriteUInt32BigEndian(entry, (uint)name.Length);
            name.CopyTo(entry.AsSpan(sizeof(uint)));
            Reply(NbdOption.List, NbdOptionReplyType.Server, entry);
        }

        Reply(NbdOption.List, NbdOptionReplyType.Ack);
    }

    private void StartTls(byte[] data)
    {
        if (data.Length > 0 || _isTls)
        {
            Refuse(NbdOption.StartTls, NbdOptionReplyType.ErrorInvalid, _isTls ? "this is TLS already" : "NBD_OPT_STARTTLS holds nothing");
            return;
        }

        if (options.Tls is not { } tls)
        {
            Refuse(NbdOption.StartTls, NbdOptionReplyType.ErrorPolicy, "this server has no TLS");
            return;
        }

        Reply(NbdOption.StartTls, NbdOptionReplyType.Ack);
        SslStream secure = new(_stream, leaveInnerStreamOpen: false);
        try
        {
            secure.AuthenticateAsServer(tls);
        }
        catch (AuthenticationException exception)
        {
            throw new NbdProtocolException($"TLS could not be agreed on: {exception.Message}", exception);
        }

        // What was agreed on in the clear may have been somebody else's wish.
        (_stream, _isTls, _isStructured, _statusExport, _statusKinds) = (secure, true, false, null, []);
    }

    private void Structured(byte[] data)
    {
        if (data.Length > 0)
        {
            Refuse(NbdOption.StructuredReply, NbdOptionReplyType.ErrorInvalid, "NBD_OPT_STRUCTURED_REPLY holds nothing");
            return;
        }

        _isStructured = true;
        Reply(NbdOption.StructuredReply, NbdOptionReplyType.Ack);
    }

    private void MetaContext(NbdOption option, byte[] data)
    {
        if (option == NbdOption.SetMetaContext)
        {
            (_statusExport, _statusKinds) = (null, []);
        }

        if (!_isStructured)
        {
            Refuse(option, NbdOptionReplyType.ErrorInvalid, "ask for NBD_OPT_STRUCTURED_REPLY first");
            return;
        }

        NbdOptionReader reader = new(data);
        if (!reader.TryTake(out string name) || !TryTakeQueries(ref reader, out string[] queries))
        {
            Refuse(option, NbdOptionReplyType.ErrorInvalid, "the option does not hold what it should");
            return;
        }

        if (Find(name) is not { } export)
        {
            Refuse(option, NbdOptionReplyType.ErrorUnknown, $"there is no export '{name}' here");
            return;
        }

        bool isSet = option == NbdOption.SetMetaContext;
        int[] chosen = [.. Enumerable.Range(0, export.StatusKinds.Count).Where(k => IsAskedFor(export.StatusKinds[k], queries, isSet))];
        foreach (int kind in chosen)
        {
            byte[] text = Encoding.UTF8.GetBytes(export.StatusKinds[kind]);
            byte[] entry = new byte[sizeof(uint) + text.Length];
            BinaryPrimitives.WriteUInt32BigEndian(entry, (uint)(isSet ? kind + 1 : 0));
            text.CopyTo(entry.AsSpan(sizeof(uint)));
            Reply(option, NbdOptionReplyType.MetaContext, entry);
        }

        if (isSet)
        {
            (_statusExport, _statusKinds) = (export, chosen);
        }

        Reply(option, NbdOptionReplyType.Ack);
    }

    private static bool TryTakeQueries(ref NbdOptionReader reader, out string[] queries)
    {
        queries = [];
        if (!reader.TryTake(out uint count) || count > NbdLimits.MaxQueries)
        {
            return false;
        }

        queries = new string[count];
        for (int i = 0; i < queries.Length; i++)
        {
            if (!reader.TryTake(out queries[i]))
            {
                return false;
            }
        }

        return reader.IsAtEnd;
    }

    // A list may ask for a namespace, or for all there is by no query; a choice has to name each.
    private static bool IsAskedFor(string kind, string[] queries, bool isSet) =>
        (!isSet && queries.Length == 0)
        || queries.Any(q => q == kind || (!isSet && q.EndsWith(':') && kind.StartsWith(q, StringComparison.Ordinal)));

    private INbdExport? Find(string name) => name.Length == 0
        ? exports.Count > 0 ? exports[0] : null
        : exports.FirstOrDefault(e => string.Equals(e.Name, name, StringComparison.Ordinal));

    private NbdTransmissionFlags FlagsOf(INbdExport export)
    {
        NbdTransmissionFlags flags = NbdTransmissionFlags.HasFlags | NbdTransmissionFlags.SendFlush | NbdTransmissionFlags.SendFua
            | NbdTransmissionFlags.SendCache;
        flags |= _isStructured ? NbdTransmissionFlags.SendDf : NbdTransmissionFlags.None;
        flags |= export.IsReadOnly
            ? NbdTransmissionFlags.ReadOnly
            : NbdTransmissionFlags.SendTrim | NbdTransmissionFlags.SendWriteZeroes | NbdTransmissionFlags.SendFastZero;
        return export.IsSharedByConnections || export.IsReadOnly ? flags | NbdTransmissionFlags.CanMultiConn : flags;
    }

    private void Refuse(NbdOption option, NbdOptionReplyType error, string why)
    {
        // This one cannot be answered with an error.
        if (option == NbdOption.ExportName)
        {
            throw new NbdProtocolException($"the client's export was refused: {why}");
        }

        Reply(option, error, Encoding.UTF8.GetBytes(why));
    }

    private void Reply(NbdOption option, NbdOptionReplyType type, ReadOnlySpan<byte> data = default)
    {
        byte[] reply = new byte[OptionReplyHeader + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(reply, NbdMagic.OptionReply);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(8), (uint)option);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(12), (uint)type);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(16), (uint)data.Length);
        data.CopyTo(reply.AsSpan(OptionReplyHeader));
        _stream.Write(reply);
    }
}
