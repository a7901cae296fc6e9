using DiskSync.Cli.Running;

return CommandRunner.RunProcess(args);
