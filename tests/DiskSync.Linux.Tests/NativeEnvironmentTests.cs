using System.Diagnostics;

namespace DiskSync.Linux.Tests;

public class NativeEnvironmentTests
{
    private const string Name = "DISKSYNC_TEST_NATIVE";

    [Fact]
    public async Task A_variable_for_C_libraries_is_not_passed_on_to_children()
    {
        NativeEnvironment.Set(Name, "here");
        Assert.Null(Environment.GetEnvironmentVariable(Name));

        ProcessStartInfo info = new("printenv", Name) { UseShellExecute = false, RedirectStandardOutput = true };
        using Process child = Process.Start(info)!;
        Assert.Equal(string.Empty, await child.StandardOutput.ReadToEndAsync());
        await child.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, child.ExitCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a=b")]
    public void What_is_no_name_is_refused(string name)
    {
        LinuxException refused = Assert.Throws<LinuxException>(() => NativeEnvironment.Set(name, "x"));
        Assert.Equal(Errno.EINVAL, refused.Errno);
    }
}
