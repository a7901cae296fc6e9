using System.CommandLine;
using System.Globalization;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Runs;
using DiskSync.Engine.Targets;
using DiskSync.Formats.ExportControl;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync tail</c>: what an image that is not whole yet still misses, and what becomes of its guest while the source cannot be reached.</summary>
internal sealed class TailCommand : CliCommand
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "the image, as it will be called when it is whole" };

    private readonly Option<bool> _failMissing = new("--fail-missing")
    {
        Description = "from now on, while the source cannot be reached, what needs a part that is missing fails (EIO); what waits now fails at once",
    };

    private readonly Option<bool> _wait = new("--wait")
    {
        Description = "from now on it waits again, as it does unless told otherwise",
    };

    private readonly Option<string?> _state = HostOptions.State();

    /// <summary>Builds the command.</summary>
    public TailCommand()
        : base("tail")
    {
        Add(_image);
        Add(_failMissing);
        Add(_wait);
        Add(_state);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Asks the export ('disksync export IMAGE --incoming') that serves an image of which parts are still at its source. A guest that "
        + "touches a missing part waits for it, for as long as the source cannot be reached. With --fail-missing such reads, and writes "
        + "of pieces of a missing part, fail instead; everything that is here goes on, and nothing is ever answered with what was not there.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync tail vm.img", "how much is missing, and whether the source is connected"),
        ("disksync tail vm.img --fail-missing", "the guest gets errors instead of waiting; --wait takes that back"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string image = context.Parse.GetRequiredValue(_image);
        bool fails = context.Parse.GetValue(_failMissing);
        bool waits = context.Parse.GetValue(_wait);
        if (fails && waits)
        {
            throw new DiskSyncException(FailureKind.Usage, "--fail-missing and --wait exclude each other", "Leave one of them out.");
        }

        string socket = TailSocket.PathOf(StateFolder.Resolve(context.Parse.GetValue(_state)), ImageIdentity.Of(image));
        TailState state = TailSocket.Ask(socket, image, fails ? true : waits ? false : null);
        TailReport report = new(
            image, (long)state.Missing, (long)state.Length, (long)state.Written, state.IsLinked, state.FailMissing, state.Trouble);
        context.Output.Result(report, json => json.TailReport, output => output.WriteLine(Describe(report)));
        return Task.FromResult(ExitCodes.Done);
    }

    private static string Describe(TailReport report) => report.Missing == 0
        ? $"{report.Image}: nothing is missing"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Image}: {report.Missing} of {report.Length} bytes are still at the source, which is {(report.Linked ? "connected" : "not connected")}; "
            + $"{report.Written} bytes were written here since; while there is no link, what needs a missing part {(report.FailMissing ? "fails" : "waits")}")
            + (report.Trouble.Length > 0 ? $"; last trouble: {report.Trouble}" : string.Empty);
}
