using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Tests.Tracking;

/// <summary>A device whose every write fails half way.</summary>
internal sealed class FailingDevice(IBlockDevice inner) : ForwardingDevice(inner)
{
    public override void Write(long offset, ReadOnlySpan<byte> data)
    {
        Inner.Write(offset, data[..(data.Length / 2)]);
        throw Failed("write", offset);
    }

    public override void Zero(long offset, long length, bool punch) => throw Failed("zero", offset);

    private ImageIOException Failed(string operation, long offset) =>
        new(Side.Source, Name, offset, operation, "made to fail", "Nothing.");
}
