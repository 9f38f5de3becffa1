using System.CommandLine;
using System.Text.Json;
using Cove.Cli.Warm;
using Cove.Wire;

namespace Cove.Cli.Commands;

/// <summary><c>cove sandbox create</c>.</summary>
internal static class SandboxCreateCommand
{
    private static readonly TimeSpan DefaultIdle = TimeSpan.FromMinutes(10);

    public static Command Create(TimeProvider time)
    {
        var idle = SandboxOptions.DurationOption("--idle", "It ends after this long without use. Default: 10m; 1s to 24h.");
        var lifetime = SandboxOptions.DurationOption("--lifetime", "It ends this long after its creation, whatever it does. Default: 1h; at most 720h.");
        var labels = new Option<Dictionary<string, string>>("--label") { Description = "A label of yours, K=V, shown in lists. May be given often.", HelpName = "K=V", CustomParser = result => SandboxOptions.ReadPairs("--label", result) };
        var json = new Option<bool>("--json") { Description = "Print everything about it as one JSON object, instead of its id." };
        var sandbox = new SandboxOptions();
        var command = new Command("create", "Make a sandbox that is kept, and print its id.") { idle, lifetime, labels, json };
        sandbox.AddSandboxTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var request = sandbox.Request(parsed, parsed.GetValue(idle) ?? DefaultIdle, parsed.GetValue(lifetime)) with { Metadata = parsed.GetValue(labels) };
            var (cove, made) = await Connection.MakeAsync(sandbox.Engine(parsed), request, time, cancellationToken);
            await using (cove)
            {
                Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(made, CoveJson.Wire.SandboxInfo) : made.Id.Value);
            }

            return ExitCodes.Ok;
        });
        return command;
    }
}
