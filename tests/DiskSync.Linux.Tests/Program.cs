namespace DiskSync.Linux.Tests;

/// <summary>The test assembly as a program: tries one thing and prints what came of it. Tests run it as another user.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        try
        {
            switch (arguments)
            {
                case ["read", var path]:
                    LinuxFile.Open(path, LinuxOpen.ReadOnly).Dispose();
                    break;
                case ["write", var path]:
                    LinuxFile.Open(path, LinuxOpen.ReadWrite | LinuxOpen.Create).Dispose();
                    break;
                case ["chown", var path]:
                    using (var file = LinuxFile.Open(path, LinuxOpen.ReadOnly))
                    {
                        file.ChangeOwner(0, 0);
                    }

                    break;
                case ["use", var path]:
                    _ = DestinationCheck.FindUse(path);
                    break;
                default:
                    Console.WriteLine("usage: read|write|chown|use PATH");
                    return 2;
            }

            Console.WriteLine("done");
            return 0;
        }
        catch (LinuxException e)
        {
            Console.WriteLine(e.Message);
            return 1;
        }
    }
}
