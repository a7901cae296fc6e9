using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>The one place where requests are validated; what has passed is trusted everywhere after.</summary>
internal static class NbdRequestCheck
{
    /// <summary>Checks a request.</summary>
    /// <param name="request">As it came.</param>
    /// <param name="agreement">What the client may ask for.</param>
    /// <returns>What is wrong with it, or null.</returns>
    public static (NbdError Error, string Why)? Check(in NbdRequest request, NbdAgreement agreement)
    {
        INbdExport export = agreement.Export;
        if (request.Command > NbdCommand.BlockStatus)
        {
            return (NbdError.Invalid, $"command {(ushort)request.Command} is not known here");
        }

        if ((request.Flags & ~AllowedFlags(request.Command, agreement)) != 0)
        {
            return (NbdError.Invalid, $"flags 0x{(ushort)request.Flags:x} do not belong to {request.Command}");
        }

        if (request.Command is NbdCommand.Flush or NbdCommand.Disconnect)
        {
            return null;
        }

        bool writes = request.Command is NbdCommand.Write or NbdCommand.WriteZeroes or NbdCommand.Trim;
        if (writes && export.IsReadOnly)
        {
            return (NbdError.NotPermitted, "this export is read-only");
        }

        // Both are below 2^64, so that their sum is compared without overflow.
        if (request.Offset > (ulong)export.Length || request.Length > (ulong)export.Length - request.Offset)
        {
            return (
                request.Command is NbdCommand.Write or NbdCommand.WriteZeroes ? NbdError.NoSpace : NbdError.Invalid,
                $"{request.Length} bytes at {request.Offset} pass the end of the export at {export.Length}");
        }

        if (request.Length > NbdLimits.MaxPayload && request.Command is NbdCommand.Read or NbdCommand.Write or NbdCommand.Cache)
        {
            return (NbdError.Invalid, $"{request.Length} bytes at once are more than {NbdLimits.MaxPayload}");
        }

        uint block = (uint)export.MinimumBlock;
        bool endsAtEnd = request.Offset + request.Length == (ulong)export.Length;
        if (request.Offset % block != 0 || (request.Length % block != 0 && !endsAtEnd))
        {
            return (NbdError.Invalid, $"{request.Length} bytes at {request.Offset} are not multiples of {block}");
        }

        return request.Command == NbdCommand.BlockStatus && (agreement.StatusKinds.Length == 0 || request.Length == 0)
            ? (NbdError.Invalid, request.Length == 0 ? "block status of no bytes" : "no kind of block status was chosen")
            : null;
    }

    // FUA is valid for all commands once it is offered.
    private static NbdCommandFlags AllowedFlags(NbdCommand command, NbdAgreement agreement) => NbdCommandFlags.Fua | command switch
    {
        NbdCommand.Read => agreement.IsStructured ? NbdCommandFlags.Df : NbdCommandFlags.None,
        NbdCommand.WriteZeroes => NbdCommandFlags.NoHole | NbdCommandFlags.FastZero,
        NbdCommand.BlockStatus => NbdCommandFlags.ReqOne,
        _ => NbdCommandFlags.None,
    };
}
