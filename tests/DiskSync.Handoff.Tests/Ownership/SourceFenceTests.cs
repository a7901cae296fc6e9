using DiskSync.Engine;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>What a rename does not make unusable to others, and renames that were cut off.</summary>
public sealed class SourceFenceTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly string _image;

    public SourceFenceTests()
    {
        _image = _temp.File("vm.img");
        File.WriteAllText(_image, "data");
    }

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task A_file_with_other_names_needs_the_users_word_also_where_it_got_them_after_the_preflight()
    {
        DeviceAwareNames names = Names(acceptUnfenced: false);
        names.CheckFence(_image);
        Link(_image, _temp.File("other.img"));
        Assert.Contains("2 names (hard links)", Assert.Throws<DiskSyncException>(() => names.CheckFence(_image)).Message, StringComparison.Ordinal);
        Assert.Equal(FailureKind.Preflight, (await Assert.ThrowsAsync<DiskSyncException>(() => names.MakeUnusableAsync(_image, 2))).Kind);
        Assert.True(File.Exists(_image));

        await Names(acceptUnfenced: true).MakeUnusableAsync(_image, 2);
        Assert.False(File.Exists(_image));
    }

    [Fact]
    public void One_file_under_two_names_is_not_two_images()
    {
        SourceFence.RefuseTwice([_image, _temp.File("not-there.img"), "device:disk-1"]);
        Link(_image, _temp.File("other.img"));
        DiskSyncException e = Assert.Throws<DiskSyncException>(() => SourceFence.RefuseTwice([_image, _temp.File("other.img")]));
        Assert.Equal(FailureKind.Usage, e.Kind);
        Assert.Contains("are the same file", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rename_by_link_and_unlink_that_was_cut_off_between_the_two_is_finished_either_way()
    {
        // Without --accept-unfenced: the second name is ours.
        DeviceAwareNames names = Names(acceptUnfenced: false);
        Link(_image, _image + ".ceded-2");
        await names.MakeUnusableAsync(_image, 2);
        Assert.Equal([_image + ".ceded-2"], Directory.GetFiles(_temp.Path));
        Link(_image + ".ceded-2", _image);
        await names.MakeUsableAsync(_image, 2);
        Assert.Equal([_image], Directory.GetFiles(_temp.Path));
        Assert.Equal("data", await File.ReadAllTextAsync(_image));
    }

    [Fact]
    public async Task A_link_that_has_taken_the_images_place_is_not_renamed()
    {
        File.Move(_image, _temp.File("real.img"));
        File.CreateSymbolicLink(_image, "real.img");
        Assert.Contains(
            "not a regular file",
            (await Assert.ThrowsAsync<DiskSyncException>(() => Names(acceptUnfenced: true).MakeUnusableAsync(_image, 2))).Message,
            StringComparison.Ordinal);
        Assert.True(File.Exists(_image));
    }

    private DeviceAwareNames Names(bool acceptUnfenced) =>
        new(new FileSourceImages(), new DeviceMarks(new ImagePlaces(_temp.File("state"))), acceptUnfenced);

    private static void Link(string from, string to) => Tool.Run("coreutils", "ln", from, to);
}
