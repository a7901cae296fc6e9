using DiskSync.Engine.Blocks;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>Both ends in one process: a folder of sources, a receiver with its root, and pushes between them.</summary>
internal sealed class SessionLab : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly TempFolder _folder = new();
    private readonly FileTargetProvider _provider;

    public SessionLab(
        string? root = null,
        IReadOnlyList<string>? sources = null,
        ConnectionOptions? limits = null,
        ReceiverOptions? options = null,
        Func<ITargetProvider, ITargetProvider>? provider = null)
    {
        Root = root ?? _folder.File("destination");
        Directory.CreateDirectory(Root);
        _provider = new FileTargetProvider(Root, _folder.File("state")) { Sources = sources ?? [] };
        Host = new ReceiverHost(
            provider?.Invoke(_provider) ?? _provider,
            null,
            (options ?? new ReceiverOptions()) with { Connection = limits ?? new ConnectionOptions(), BusyPatience = TimeSpan.FromMilliseconds(200) },
            NullLogger.Instance);
    }

    public string Root { get; }

    public ReceiverHost Host { get; }

    public SenderOptions Options { get; set; } = new() { Workers = 2, BatchBytes = 64 << 10, MaxBatches = 4 };

    /// <summary>How the last session failed at the receiver; null where it ended well.</summary>
    public DiskSyncException? ReceiverFailure { get; private set; }

    public string Source(string name, ReadOnlySpan<byte> content)
    {
        string path = _folder.File(name);
        SampleImage.WriteSparse(path, content);
        return path;
    }

    public string Target(string name = "vm.img") => Path.Join(Root, name);

    /// <summary>Removes what earlier pushes have left at the destination.</summary>
    public void EmptyRoot()
    {
        foreach (string file in Directory.GetFiles(Root))
        {
            File.Delete(file);
        }
    }

    public void AssertTarget(ReadOnlySpan<byte> content, string name = "vm.img") =>
        Assert.True(content.SequenceEqual(File.ReadAllBytes(Target(name))), $"{name} differs from what was pushed");

    public async Task<PushResult> PushAsync(
        string image,
        string name = "vm.img",
        Func<TransferRequest, TransferRequest>? with = null,
        int granularity = 64 << 10,
        DelayingProxy? wire = null,
        Guid? session = null,
        IProgressSink? progress = null,
        CancellationToken cancellationToken = default)
    {
        (ITransport near, ITransport far) = wire is null ? InMemoryTransport.CreatePair() : (wire.Source, wire.Destination);
        Task serving = ServeAsync(far);
        try
        {
            using IBlockDevice source = BlockDevices.OpenSource(image);
            TransferRequest request = new(source, name, new BlockGeometry(source.Length, granularity));
            await using SourceSession opened = await SourceSession.ConnectAsync(
                near, session ?? Guid.NewGuid(), new ConnectionOptions { Limiter = Options.Limiter }, null, cancellationToken).WaitAsync(Patience, CancellationToken.None);
            return await PushRun.RunAsync(
                opened, with?.Invoke(request) ?? request, Options, progress ?? NoProgress.Instance, cancellationToken)
                .WaitAsync(Patience, CancellationToken.None);
        }
        finally
        {
            await near.DisposeAsync();
            await serving.WaitAsync(Patience, CancellationToken.None);
        }
    }

    /// <summary>Serves one connection; its failure is kept.</summary>
    public async Task ServeAsync(ITransport transport)
    {
        ReceiverFailure = null;
        try
        {
            await Task.Run(() => Host.ServeAsync(transport, CancellationToken.None));
        }
        catch (DiskSyncException failure)
        {
            ReceiverFailure = failure;
        }
    }

    public void Dispose()
    {
        _provider.Dispose();
        _folder.Dispose();
    }
}
