using DiskSync.TestSupport.PowerCuts;

namespace DiskSync.Engine.Tests.Tail;

/// <summary>Damages a simulated file and repairs it.</summary>
internal sealed class SimulatedCopy
{
    private readonly SimulatedFile _file;
    private readonly byte[] _content;

    public SimulatedCopy(SimulatedFile file)
    {
        _file = file;
        using SimulatedStateFile open = file.Open();
        _content = new byte[open.Length];
        open.Read(0, _content);
    }

    public int Length => _content.Length;

    public void Flip(int at)
    {
        using SimulatedStateFile open = _file.Open();
        open.Write(at, [(byte)(_content[at] ^ 4)]);
    }

    public void Restore()
    {
        using SimulatedStateFile open = _file.Open();
        open.SetLength(_content.Length);
        open.Write(0, _content);
    }
}
