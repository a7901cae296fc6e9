using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>Random bytes that nobody can foretell (getrandom(2)).</summary>
/// <remarks>.NET's own generator loads OpenSSL, which takes longer than a whole copy of an image that has not changed. Thread safe.</remarks>
public static class KernelRandom
{
    /// <summary>Fills a buffer.</summary>
    /// <exception cref="LinuxException">The kernel gave none.</exception>
    public static unsafe void Fill(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            int done = 0;
            while (done < buffer.Length)
            {
                nint got = RandomCalls.Random(start + done, buffer.Length - done, 0);
                if (got < 0 && !Call.Again(got))
                {
                    throw LinuxException.Last("take random bytes from", "the kernel");
                }

                done += (int)Math.Max(0, got);
            }
        }
    }
}
