using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class ProcessPriorityTests
{
    [Fact]
    public async Task A_process_that_goes_behind_others_starts_programs_as_before_where_asked_and_can_come_back()
    {
        // Of this very process, whose other tests do not mind; the judges are nice(1) and ionice(1), which inherit both.
        string nice = Nice();
        string io = Io();
        try
        {
            ProcessPriority.Lower();
            Assert.Equal("10", Nice());
            Assert.Equal("idle", Io());
            Assert.Equal("10", await Task.Run(Nice));
            Assert.Equal(nice, ProcessPriority.AsBefore(Nice));
            Assert.Equal(io, ProcessPriority.AsBefore(Io));
            Assert.Throws<InvalidTimeZoneException>(() => ProcessPriority.AsBefore<int>(() => throw new InvalidTimeZoneException()));
        }
        finally
        {
            ProcessPriority.Restore();
        }

        Assert.Equal(nice, Nice());
        Assert.Equal(io, Io());
    }

    private static string Nice() => Tool.Run("coreutils", "nice");

    private static string Io() => Tool.Run("util-linux", "ionice");
}
