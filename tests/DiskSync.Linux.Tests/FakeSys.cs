using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

/// <summary>A folder laid out as /sys, for devices that this machine does not have.</summary>
internal sealed class FakeSys : IDisposable
{
    private readonly TempFolder _folder = new();

    internal FakeSys()
    {
        Directory.CreateDirectory(_folder.File("dev/block"));
        Directory.CreateDirectory(_folder.File("block"));
        Links = _folder.File("by-id");
        Directory.CreateDirectory(Links);
    }

    internal DeviceTree Tree => new(_folder.Path);

    /// <summary>Stands for /dev/disk/by-id.</summary>
    internal string Links { get; }

    public void Dispose() => _folder.Dispose();

    internal string AddDisk(string name, string number, params (string Name, string Value)[] attributes)
    {
        string folder = _folder.File($"devices/pci0/block/{name}");
        Add(folder, name, number, attributes);
        Directory.CreateSymbolicLink(_folder.File($"block/{name}"), $"../devices/pci0/block/{name}");
        return folder;
    }

    internal void AddPartition(string disk, string name, string number, int index) =>
        Add($"{disk}/{name}", name, number, [("partition", $"{index}")]);

    internal void AddHolder(string folder, string name) =>
        Directory.CreateSymbolicLink($"{folder}/holders/{name}", _folder.File($"devices/pci0/block/{name}"));

    internal void AddLink(string name, string device) => File.CreateSymbolicLink(Path.Join(Links, name), $"../../{device}");

    private void Add(string folder, string name, string number, (string Name, string Value)[] attributes)
    {
        Directory.CreateDirectory(folder + "/holders");
        File.WriteAllText(folder + "/dev", number + "\n");
        File.WriteAllText(folder + "/uevent", $"MAJOR={number.Split(':')[0]}\nDEVNAME={name}\nDEVTYPE=disk\n");
        foreach ((string attribute, string value) in attributes)
        {
            Directory.CreateDirectory(Path.GetDirectoryName($"{folder}/{attribute}")!);
            File.WriteAllText($"{folder}/{attribute}", value + "\n");
        }

        Directory.CreateSymbolicLink(_folder.File($"dev/block/{number}"), folder);
    }
}
