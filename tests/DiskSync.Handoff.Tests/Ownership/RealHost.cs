using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Seal;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Hypervisors.Commands;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>One host of the tests with real files: a real journal, real names, real locks, real hooks; images are whole small files.</summary>
public sealed class RealHost(string folder, string state) : IDestinationImages
{
    public string Folder => folder;

    public OwnershipJournal Journal { get; } = new(state);

    public FileImageWitness Witness { get; } = new(new ImagePlaces(state));

    public SourceHandOver Source => new(Journal, new FileSourceImages(), Witness, new FileOwnershipLocks(state), Hypervisor, TimeProvider.System);

    public DestinationHandOver Destination => new(
        Journal, this, new FileTailImages(), new FileSourceImages(Side.Destination), Witness, new FileOwnershipLocks(state), Hypervisor, new HookCatalog([], true), TimeProvider.System);

    public OwnerCommand Owner => new(
        Journal, Witness, new FileSourceImages(), new FileOwnershipLocks(state), Source, Destination, TimeProvider.System);

    private static CommandHypervisor Hypervisor => new(new HookRunner(TimeSpan.FromSeconds(20)));

    /// <summary>A machine that a command pauses.</summary>
    public static ISourceMachine Machine(string pause) => Hypervisor.Machine(pause, string.Empty);

    public string ImageOf(string name) => Path.Combine(folder, name);

    public Task<IReadOnlyList<Hash256>> VerifyAndRootsAsync(IReadOnlyList<string> images, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Hash256>>([.. images.Select(i => Blake3.Hash(File.ReadAllBytes(i + ".partial")))]);

    public Task StageTailsAsync(PrepareRequest request, CancellationToken cancellationToken) =>
        throw new NotSupportedException("these files are whole");

    public Task FinishImagesAsync(IReadOnlyList<ImageToFinish> images)
    {
        foreach (ImageToFinish image in images)
        {
            if (File.Exists(image.Image + ".partial"))
            {
                File.Move(image.Image + ".partial", image.Image, overwrite: true);
            }

            SealRecord seal = new(
                Path.GetFileName(image.Image), image.Epoch, new BlockGeometry(new FileInfo(image.Image).Length, 65536), image.Root, Guid.Empty, 0, default);
            File.WriteAllBytes(image.Image + ".seal", SealCodec.Encode(seal));
        }

        return Task.CompletedTask;
    }

    public void RefuseOpen(IReadOnlyList<ImageToFinish> images)
    {
        // Whole files without a guest.
    }

    public Task<bool> AreUnchangedAsync(IReadOnlyList<ImageToFinish> images, CancellationToken cancellationToken) =>
        Task.FromResult(images.All(i => Blake3.Hash(File.ReadAllBytes(i.Image)) == i.Root));
}
