using System.Diagnostics;

namespace DiskSync.Linux.Tests;

public class ProcessSignalTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    [InlineData(-5)]
    public void A_group_is_never_everybody(int group)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => ProcessSignal.TryTerminateGroup(group));
        Assert.Throws<ArgumentOutOfRangeException>(() => ProcessSignal.TryKillGroup(group));
    }

    [Fact]
    public async Task A_group_is_ended_with_its_children()
    {
        ProcessStartInfo info = new("setsid") { UseShellExecute = false, RedirectStandardOutput = true };
        info.ArgumentList.Add("/bin/sh");
        info.ArgumentList.Add("-c");
        info.ArgumentList.Add("sleep 300 & trap '' TERM; echo begun; wait; sleep 300");
        using Process leader = Process.Start(info)!;
        Assert.Equal("begun", await leader.StandardOutput.ReadLineAsync());
        Assert.True(ProcessSignal.TryTerminateGroup(leader.Id));
        Assert.False(leader.HasExited);
        Assert.True(ProcessSignal.TryKillGroup(leader.Id));

        // Ends when the last of them has closed it.
        Assert.Equal(string.Empty, await leader.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        await leader.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }
}
