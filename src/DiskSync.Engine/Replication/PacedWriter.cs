namespace DiskSync.Engine.Replication;

/// <summary>Writes a frame in the pieces and at the moments that a <see cref="RateLimiter"/> allows.</summary>
public static class PacedWriter
{
    /// <summary>Writes all of the frame.</summary>
    /// <param name="limiter">Whom to ask.</param>
    /// <param name="frame">The frame; borrowed until this has ended.</param>
    /// <param name="write">Writes one piece and waits until the transport has taken it.</param>
    /// <param name="cancellationToken">
    /// Stops it before the first piece. After that the rest goes at once: half a frame would break the connection, and
    /// nobody who wants to stop waits for the limit.
    /// </param>
    public static async ValueTask WriteAsync(
        RateLimiter limiter, ReadOnlyMemory<byte> frame, Func<ReadOnlyMemory<byte>, ValueTask> write, CancellationToken cancellationToken)
    {
        bool started = false;
        while (frame.Length > 0)
        {
            int piece = Math.Min(frame.Length, limiter.PieceBytes);
            try
            {
                await limiter.WaitAsync(piece, cancellationToken);
            }
            catch (OperationCanceledException) when (started)
            {
                piece = frame.Length;
            }

            started = true;
            await write(frame[..piece]);
            frame = frame[piece..];
        }
    }
}
