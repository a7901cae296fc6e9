using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>Does to an export what a request asks for, and says how it went.</summary>
/// <remarks>Requests have been validated (<see cref="NbdRequestCheck"/>). Thread safe as the export is.</remarks>
internal static class NbdExecution
{
    /// <summary>Does what returns nothing.</summary>
    /// <param name="export">The export.</param>
    /// <param name="request">The request.</param>
    /// <param name="data">What a write brings.</param>
    public static (NbdError Error, string Why) Do(INbdExport export, in NbdRequest request, ReadOnlySpan<byte> data)
    {
        try
        {
            if (!TryDo(export, request, data))
            {
                return (NbdError.NotSupported, "zeros are no faster than data here");
            }

            if (request.Flags.HasFlag(NbdCommandFlags.Fua) && request.Command is NbdCommand.Write or NbdCommand.WriteZeroes or NbdCommand.Trim)
            {
                export.Flush();
            }

            return (NbdError.None, string.Empty);
        }
        catch (Exception exception)
        {
            return Describe(exception);
        }
    }

    /// <summary>What a range is like, as the client asked for it.</summary>
    /// <param name="export">The export.</param>
    /// <param name="kind">An index of <see cref="INbdExport.StatusKinds"/>.</param>
    /// <param name="request">The request.</param>
    public static List<NbdExtent> Extents(INbdExport export, int kind, in NbdRequest request)
    {
        int most = request.Flags.HasFlag(NbdCommandFlags.ReqOne) ? 1 : NbdLimits.MaxExtents;
        List<NbdExtent> found = [];
        long left = request.Length;
        foreach (NbdExtent extent in export.Status(kind, (long)request.Offset, request.Length))
        {
            NbdExtent part = extent with { Length = Math.Min(extent.Length, left) };
            if (found.Count > 0 && found[^1].Flags == part.Flags)
            {
                found[^1] = part with { Length = found[^1].Length + part.Length };
            }
            else if (found.Count == most)
            {
                break;
            }
            else
            {
                found.Add(part);
            }

            left -= part.Length;
            if (left == 0)
            {
                break;
            }
        }

        return found;
    }

    /// <summary>What the client is told of a failure.</summary>
    public static (NbdError Error, string Why) Describe(Exception exception) => exception is NbdExportException known
        ? (known.Error, known.Message)
        : (NbdError.Io, exception.Message);

    private static bool TryDo(INbdExport export, in NbdRequest request, ReadOnlySpan<byte> data)
    {
        (long offset, long length) = ((long)request.Offset, request.Length);
        switch (request.Command)
        {
            case NbdCommand.Write:
                export.Write(offset, data);
                return true;
            case NbdCommand.WriteZeroes:
                return export.Zero(
                    offset,
                    length,
                    mayPunch: !request.Flags.HasFlag(NbdCommandFlags.NoHole),
                    fastOnly: request.Flags.HasFlag(NbdCommandFlags.FastZero));
            case NbdCommand.Trim:
                export.Trim(offset, length);
                return true;
            case NbdCommand.Cache:
                export.Cache(offset, length);
                return true;
            default:
                export.Flush();
                return true;
        }
    }
}
