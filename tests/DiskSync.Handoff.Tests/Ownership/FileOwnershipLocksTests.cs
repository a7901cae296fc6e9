using DiskSync.Handoff.Ownership;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>The two locks of an image: moving and serving.</summary>
public sealed class FileOwnershipLocksTests : IDisposable
{
    private const string Image = "/images/a.img";
    private readonly TempFolder _temp = new();

    [Fact]
    public void An_image_is_moved_by_one_at_a_time_and_served_by_one_at_a_time()
    {
        FileOwnershipLocks one = new(_temp.Path);
        FileOwnershipLocks two = new(_temp.Path);
        using (one.TryAcquire([Image]))
        {
            Assert.Null(two.TryAcquire([Image]));
            Assert.False(one.IsServed(Image));
            using (one.TryServe(Image))
            {
                Assert.Null(two.TryServe(Image));
                Assert.True(two.IsServed(Image));
            }

            Assert.False(two.IsServed(Image));
        }

        Assert.NotNull(two.TryAcquire([Image]));
    }

    [Fact]
    public void Who_says_nothing_of_exports_gets_no_image_that_one_serves()
    {
        FileOwnershipLocks locks = new(_temp.Path);
        using IDisposable? serving = locks.TryServe(Image);
        Assert.Null(locks.TryAcquire(["/images/b.img", Image]));
        using IDisposable? beside = locks.TryAcquire([Image], besideExports: true);
        Assert.NotNull(beside);

        // What was taken for the refusal has been given back.
        using IDisposable? other = locks.TryAcquire(["/images/b.img"]);
        Assert.NotNull(other);
    }

    public void Dispose() => _temp.Dispose();
}
