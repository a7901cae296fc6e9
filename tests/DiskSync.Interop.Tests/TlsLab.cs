using System.Globalization;
using System.Text.RegularExpressions;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>A source and a receiver on TCP, each a process with a key folder and a state folder of its own.</summary>
/// <remarks>Both trust each other from the start. Disposing ends the receiver and removes everything.</remarks>
internal sealed partial class TlsLab : IDisposable
{
    private DisksyncProcess? _receiver;

    /// <summary>Makes the folders.</summary>
    public TlsLab()
    {
        Directory.CreateDirectory(Root);
    }

    /// <summary>Where everything is.</summary>
    public TempFolder Folder { get; } = new();

    /// <summary>The receiver's root.</summary>
    public string Root => Folder.File("far");

    /// <summary>The source's key folder.</summary>
    public string NearKeys => Folder.File("near-keys");

    /// <summary>The receiver's key folder.</summary>
    public string FarKeys => Folder.File("far-keys");

    /// <summary>The source's fingerprint.</summary>
    public string NearFingerprint { get; private set; } = string.Empty;

    /// <summary>The receiver's fingerprint.</summary>
    public string FarFingerprint { get; private set; } = string.Empty;

    /// <summary>The receiver's port.</summary>
    public int Port { get; private set; }

    /// <summary>What the receiver has written to standard error so far.</summary>
    public string Said => File.Exists(Folder.File("said")) ? File.ReadAllText(Folder.File("said")) : string.Empty;

    /// <summary>The destination that names something below the receiver's root.</summary>
    public string Name(string name, string host = "127.0.0.1") => string.Create(CultureInfo.InvariantCulture, $"disksync://{host}:{Port}/{name}");

    /// <summary>Makes both keys and has each trusted on the other side.</summary>
    public async Task ExchangeKeysAsync()
    {
        NearFingerprint = await KeygenAsync(NearKeys);
        FarFingerprint = await KeygenAsync(FarKeys);
        await RunAsync("trust", "127.0.0.1", FarFingerprint, "--keys", NearKeys);
        await RunAsync("trust", "source", NearFingerprint, "--keys", FarKeys);
    }

    /// <summary>Starts the receiver and waits until it says where it listens.</summary>
    public async Task StartReceiverAsync(string where = "tcp:127.0.0.1:0", params string[] options)
    {
        // Standard error goes to a file, so that it can be read while the process runs.
        _receiver = DisksyncProcess.Start(
            ["receive", "--listen", where, "--root", Root, "--keys", FarKeys, "--state", Folder.File("far-state"), .. options],
            info =>
            {
                string[] command = [info.FileName, .. info.ArgumentList];
                info.FileName = "sh";
                info.ArgumentList.Clear();
                foreach (string argument in (string[])["-c", "exec \"$@\" 2>\"$0\"", Folder.File("said"), .. command])
                {
                    info.ArgumentList.Add(argument);
                }
            });
        await Eventually.TrueAsync(() => Listening().IsMatch(Said), "the receiver listens", _receiver);
        Port = int.Parse(Listening().Match(Said).Groups["port"].Value, CultureInfo.InvariantCulture);
    }

    /// <summary>Stops the receiver as a service manager would.</summary>
    public async Task<DisksyncResult> StopReceiverAsync()
    {
        using DisksyncProcess receiver = _receiver!;
        _receiver = null;
        receiver.Signal(15);
        return await receiver.WaitAsync();
    }

    /// <summary>Makes an image at the source.</summary>
    public string Image(string name = "vm.img")
    {
        string image = Folder.File(name);
        SampleImages.Write(image);
        return image;
    }

    /// <summary>Runs a push with the source's keys.</summary>
    public Task<DisksyncResult> PushAsync(string image, string destination, params string[] options) => DisksyncProcess.RunAsync(
        ["push", image, destination, "--keys", NearKeys, "--json", .. options], null);

    /// <summary>Runs a command that must succeed.</summary>
    public static async Task<DisksyncResult> RunAsync(params string[] arguments)
    {
        DisksyncResult result = await DisksyncProcess.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _receiver?.Dispose();
        Folder.Dispose();
    }

    private static async Task<string> KeygenAsync(string folder) =>
        (await RunAsync("keygen", "--keys", folder, "--json")).Json.GetProperty("fingerprint").GetString()!;

    [GeneratedRegex(@"listening on tcp:.*:(?<port>\d+)\n", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Listening();
}
