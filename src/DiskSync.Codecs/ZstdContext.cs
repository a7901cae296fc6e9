using System.Runtime.InteropServices;

namespace DiskSync.Codecs;

/// <summary>A context of libzstd, freed with the object that owns it, or by the finalizer at the latest.</summary>
internal sealed class ZstdContext : SafeHandle
{
    private readonly bool _compression;

    /// <summary>Creates a context.</summary>
    /// <param name="compression">For compressing; else for decompressing.</param>
    /// <exception cref="DllNotFoundException">The library is missing: ask <see cref="Zstd.IsAvailable"/> first.</exception>
    /// <exception cref="InvalidOperationException">There is no memory for it.</exception>
    public ZstdContext(bool compression)
        : base(0, ownsHandle: true)
    {
        _compression = compression;
        SetHandle(compression ? ZstdNative.CreateCompression() : ZstdNative.CreateDecompression());
        if (IsInvalid)
        {
            throw new InvalidOperationException($"{ZstdNative.Library}: no memory for a context");
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        _ = _compression ? ZstdNative.FreeCompression(handle) : ZstdNative.FreeDecompression(handle);
        return true;
    }
}
