using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Progress;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Delta;
using DiskSync.Formats.Wire;
using DiskSync.Linux;

namespace DiskSync.Engine.Comparison;

/// <summary>Applies a delta to a copy of its base, in place; may be killed at any moment and run again.</summary>
/// <remarks>
/// The order is the safety (Formats/Delta/FORMAT.md, "Applying"): the whole delta is validated; the whole target is
/// hashed and must be the base or on its way to the result; a note is made durable; blocks are written, each proven in
/// memory first; flush, length, flush; the whole target is hashed again; the note goes. The target is locked throughout.
/// </remarks>
public static class DeltaApplier
{
    /// <summary>Applies a delta.</summary>
    /// <param name="deltaPath">The delta file.</param>
    /// <param name="targetPath">A regular file or a block device (whose length the delta must not change).</param>
    /// <param name="options">Workers, progress; the granularity is the delta's.</param>
    /// <param name="stateFolder">The state folder, needed for devices; null for the usual one.</param>
    /// <param name="cancellation">Stops between blocks; what is half done is resumed by the next run.</param>
    /// <exception cref="DiskSyncException">
    /// Refused before the first write (<see cref="FailureKind.Preflight"/>), or the target could not be written or is not
    /// what it should be afterwards (<see cref="FailureKind.Destination"/>).
    /// </exception>
    public static ApplyResult Apply(
        string deltaPath,
        string targetPath,
        ComparisonOptions options,
        string? stateFolder,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(deltaPath);
        ArgumentNullException.ThrowIfNull(targetPath);
        ArgumentNullException.ThrowIfNull(options);
        using DeltaFile delta = DeltaFile.Open(deltaPath);
        DeltaSummary summary = delta.Summary;
        options = options with { Granularity = summary.NewGeometry.Granularity };
        using ApplyTarget target = ApplyTarget.Open(targetPath, deltaPath, stateFolder);
        CheckLength(target, summary);
        bool begun = target.HasNoteOf(delta.Identity);
        using var scan = new ApplyScan(delta, target.Device, begun);
        ImageHasher.Run(target.Device, options, scan.Take, cancellation);
        scan.End();
        if (scan.ToWrite > 0 || target.Device.Length != summary.NewGeometry.Length || begun)
        {
            target.WriteNote(delta.Identity);
            Write(delta, target, options, cancellation);
            Verify(target, summary, options, cancellation);
            target.RemoveNote();
        }

        return new ApplyResult(summary, scan.ToWrite, scan.AlreadyNew, begun || scan.AlreadyNew > 0);
    }

    private static void CheckLength(ApplyTarget target, DeltaSummary summary)
    {
        long length = target.Device.Length;
        long old = summary.OldGeometry.Length;
        long now = summary.NewGeometry.Length;
        if (length != old && length != now)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {target.Device.Name}: is not the delta's base: it has {length} bytes, the base {old}",
                "Nothing was written. Name a copy of the base.");
        }

        if (old != now && target.Device is not FileBlockDevice)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {target.Device.Name}: the delta changes the length from {old} to {now} bytes, and a device keeps its own",
                "Nothing was written. Apply it to a file.");
        }
    }

    private static void Write(
        DeltaFile delta, ApplyTarget target, ComparisonOptions options, CancellationToken cancellation)
    {
        DeltaSummary summary = delta.Summary;
        BlockGeometry geometry = summary.NewGeometry;
        IBlockDevice device = target.Device;
        if (device.Length < geometry.Length)
        {
            target.SetLength(geometry.Length);
        }

        using var block = new AlignedBuffer(geometry.Granularity);
        byte[] scratch = new byte[geometry.Granularity];
        long done = 0;
        foreach (DeltaRecord record in delta.Records())
        {
            cancellation.ThrowIfCancellationRequested();
            long offset = geometry.OffsetOf(record.Block);
            if (record.Kind == DeltaKind.Zero)
            {
                long end = Math.Min(geometry.Length, geometry.OffsetOf(record.Block + record.Count));
                device.Zero(offset, end - offset, punch: true);
            }
            else
            {
                WriteBlock(delta, device, record, offset, block.Span[..geometry.LengthOf(record.Block)], scratch);
            }

            done += record.Count;
            options.Progress.Report(new CopyProgress(CopyPhase.Writing)
            {
                Image = device.Name,
                BytesDone = done * geometry.Granularity,
                BytesTotal = summary.Blocks * geometry.Granularity,
                DirtyBlocks = summary.Blocks - done,
            });
        }

        // Everything is on the medium before anything is cut off, and the new length before the note goes.
        device.Flush();
        target.SetLength(geometry.Length);
        device.Flush();
    }

    private static void WriteBlock(
        DeltaFile delta, IBlockDevice device, in DeltaRecord record, long offset, Span<byte> block, byte[] scratch)
    {
        device.Read(offset, block);
        if (Blake3.Hash(block) == record.NewHash)
        {
            return;
        }

        try
        {
            DeltaBlock.Build(record, block, scratch);
        }
        catch (FormatViolationException failure)
        {
            throw delta.Wrong(failure);
        }

        if (record.Kind != DeltaKind.Patch)
        {
            device.Write(offset, block);
            return;
        }

        // Only the pieces that the patch names: the others were never written, so a kill leaves them whole.
        PatchPayload patch = PatchPayload.Read(record.Payload.Span, block.Length);
        SubBlockWriter.Write(device, offset, block, patch.Bitmap);
    }

    private static void Verify(
        ApplyTarget target, DeltaSummary summary, ComparisonOptions options, CancellationToken cancellation)
    {
        target.Device.DropCache(0, target.Device.Length);
        BlockMapSummary found = BlockMapBuilder.Build(target.Device, null, options, cancellation);
        if (found.Root != summary.NewRoot)
        {
            throw new DiskSyncException(
                FailureKind.Destination,
                $"destination {target.Device.Name}: holds {found.Root} after writing, not {summary.NewRoot}",
                "Something else wrote to it, or its medium is failing. Run the command again; if that fails too, copy the image anew.");
        }
    }
}
