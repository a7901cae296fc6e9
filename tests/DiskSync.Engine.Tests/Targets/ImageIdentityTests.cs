using DiskSync.Engine.Targets;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Targets;

public sealed class ImageIdentityTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _real;

    public ImageIdentityTests()
    {
        Directory.CreateDirectory(_folder.File("data/deep"));
        _real = _folder.Write("data/real.raw", [1]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_has_one_identity_whatever_links_lead_to_it()
    {
        Directory.CreateSymbolicLink(_folder.File("images"), "data");
        File.CreateSymbolicLink(_folder.File("relative.img"), "images/real.raw");
        File.CreateSymbolicLink(_folder.File("absolute.img"), _real);
        File.CreateSymbolicLink(_folder.File("data/chain.img"), "../relative.img");
        foreach (string name in new[] { "data/real.raw", "images/real.raw", "relative.img", "absolute.img", "images/chain.img", "data/deep/../real.raw" })
        {
            Assert.Equal(_real, ImageIdentity.Of(_folder.File(name)));
        }
    }

    [Fact]
    public void The_way_up_out_of_a_linked_folder_is_the_kernels()
    {
        Directory.CreateSymbolicLink(_folder.File("link"), "data/deep");
        Assert.Equal(_real, ImageIdentity.Of(_folder.File("link/../real.raw")));
    }

    [Fact]
    public void An_image_that_is_not_there_has_the_identity_that_it_would_have()
    {
        Assert.Equal(_folder.File("data/new.img"), ImageIdentity.Of(_folder.File("data/new.img")));

        // As after a hand-over: the link is there, and the file has its ceded name.
        File.CreateSymbolicLink(_folder.File("link.img"), "data/real.raw");
        File.Move(_real, _real + ".ceded-2");
        Assert.Equal(_real, ImageIdentity.Of(_folder.File("link.img")));
    }

    [Fact]
    public void Links_that_go_round_in_a_circle_are_refused()
    {
        File.CreateSymbolicLink(_folder.File("a"), "b");
        File.CreateSymbolicLink(_folder.File("b"), "a");
        Assert.ThrowsAny<Exception>(() => ImageIdentity.Of(_folder.File("a")));
    }
}
