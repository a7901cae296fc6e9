using DiskSync.Engine.Targets;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>Two hosts in one folder: a source, and a receiver that listens on a Unix socket and has one hook, "start".</summary>
/// <remarks>Each has a state folder of its own. Disposing ends the receiver and removes everything.</remarks>
internal sealed class HandOverLab : IDisposable
{
    private DisksyncProcess? _receiver;

    /// <summary>Makes the folders; the receiver is started with <see cref="StartReceiverAsync"/>.</summary>
    public HandOverLab()
    {
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Folder.File("near"));
    }

    /// <summary>Where everything is.</summary>
    public TempFolder Folder { get; } = new();

    /// <summary>The receiver's socket.</summary>
    public string Socket => Folder.File("d.sock");

    /// <summary>The receiver's root.</summary>
    public string Root => Folder.File("far");

    /// <summary>The source's state folder.</summary>
    public string NearState => Folder.File("near-state");

    /// <summary>The receiver's state folder.</summary>
    public string FarState => Folder.File("far-state");

    /// <summary>What the hook "start" writes its environment to.</summary>
    public string Resumed => Folder.File("resumed");

    /// <summary>What <see cref="Unpause"/> writes its environment to.</summary>
    public string Unpaused => Folder.File("unpaused");

    /// <summary>An unpause command that leaves its environment.</summary>
    public string Unpause => Note(Unpaused);

    /// <summary>A command that leaves its environment in a file, which appears only when it is whole.</summary>
    public static string Note(string file) => $"env > {file}.new && mv {file}.new {file}";

    /// <summary>Starts the receiver and waits until it listens.</summary>
    /// <param name="start">Its hook "start"; null for one that leaves its environment in <see cref="Resumed"/>.</param>
    public async Task<DisksyncProcess> StartReceiverAsync(string? start = null)
    {
        DisksyncProcess receiver = DisksyncProcess.Start(
        [
            "receive", "--listen", $"unix:{Socket}", "--root", Root, "--state", FarState, "--hook", $"start={start ?? Note(Resumed)}",
        ]);
        _receiver = receiver;

        // The kernel's list says who listens; the file is there a moment before that, and a killed receiver leaves it.
        await Eventually.TrueAsync(
            () => File.ReadLines("/proc/net/unix").Any(l => l.EndsWith($" {Socket}", StringComparison.Ordinal) && l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3] == "00010000"),
            "the receiver listens",
            receiver);
        return receiver;
    }

    /// <summary>Kills the receiver.</summary>
    /// <returns>What it had to say until then.</returns>
    public async Task<DisksyncResult> KillReceiverAsync()
    {
        using DisksyncProcess receiver = _receiver!;
        _receiver = null;
        receiver.Signal(9);
        return await receiver.WaitAsync();
    }

    /// <summary>Makes an image at the source.</summary>
    public string Image(string name)
    {
        string image = Folder.File("near/" + name);
        SampleImages.Write(image);
        return image;
    }

    /// <summary>The path of an image at the receiver.</summary>
    public string Moved(string name) => Path.Join(Root, name);

    /// <summary>The name under which an image was handed over; it must have one, and only one.</summary>
    public static string Ceded(string image) =>
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(image)!), name => NumberedNames.Ceded.IsOf(name, image));

    /// <summary>Starts a migrate.</summary>
    /// <param name="images">The images.</param>
    /// <param name="options">Its options; --socket SOCKET as the first two names another way to the receiver.</param>
    public DisksyncProcess StartMigrate(string[] images, params string[] options)
    {
        (string socket, options) = options is ["--socket", _, ..] ? (options[1], options[2..]) : (Socket, options);
        return DisksyncProcess.Start(
        [
            "migrate", .. images, images.Length > 1 ? $"unix:{socket}:" : $"unix:{socket}:{Path.GetFileName(images[0])}",
            "--state", NearState, "--max-downtime", "600", "--json", .. options,
        ]);
    }

    /// <summary>Runs a migrate to its end.</summary>
    public async Task<DisksyncResult> MigrateAsync(string[] images, params string[] options)
    {
        using DisksyncProcess migrate = StartMigrate(images, options);
        return await migrate.WaitAsync();
    }

    /// <summary>Runs <c>owner</c> at the source.</summary>
    public Task<DisksyncResult> OwnerHereAsync(string image, params string[] options) =>
        DisksyncProcess.RunAsync(["owner", image, "--state", NearState, "--json", .. options], null);

    /// <summary>Runs <c>owner</c> at the destination, which knows the receiver's hook.</summary>
    public Task<DisksyncResult> OwnerThereAsync(string name, params string[] options) => DisksyncProcess.RunAsync(
        ["owner", Moved(name), "--state", FarState, "--json", "--hook", $"start={Note(Resumed)}", .. options], null);

    /// <summary>Brings a hand-over to where only the other side's word decides: the source has ceded, the destination is prepared, and migrate is killed.</summary>
    /// <param name="image">The image.</param>
    public async Task CedeAndKillAsync(string image)
    {
        await using CommitlessRelay relay = new(Folder.File("relay.sock"), Socket);
        using DisksyncProcess migrate = StartMigrate(
            [image], "--socket", Folder.File("relay.sock"), "--pause", "true", "--unpause", Unpause, "--resume", "start");
        await Eventually.TrueAsync(() => relay.Swallowed.IsCompleted, "the source has ceded", migrate);
        await relay.Swallowed;
        migrate.Signal(9);
        await migrate.WaitAsync();
    }

    /// <summary>Requires that the source has its image as if nothing had been tried.</summary>
    public void AssertStillHere(string image)
    {
        Assert.True(File.Exists(image));
        Assert.Empty(Directory.GetFiles(Folder.File("near"), "*.ceded-*"));
        Assert.False(File.Exists(Moved(Path.GetFileName(image))));
    }

    /// <summary>Requires that the image has moved, every byte of it, and that the source's copy is out of use.</summary>
    public void AssertMoved(string image)
    {
        Assert.False(File.Exists(image));
        Tool.Run("diffutils", "cmp", Ceded(image), Moved(Path.GetFileName(image)));
        Assert.True(File.Exists(Moved(Path.GetFileName(image)) + ".seal"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _receiver?.Dispose();
        Folder.Dispose();
    }
}
