using System.CommandLine;
using Cove.Cli.Warm;

namespace Cove.Cli.Commands;

/// <summary><c>cove sandbox rm</c>.</summary>
internal static class SandboxRemoveCommand
{
    public static Command Create(TimeProvider time)
    {
        var ids = new Argument<SandboxId[]>("id")
        {
            Description = "The ids of the sandboxes.",
            Arity = ArgumentArity.OneOrMore,
            CustomParser = result => [.. result.Tokens.Select(token => SandboxCommand.Parse(result, token.Value))],
        };
        var engine = new EngineOptionSet();
        var command = new Command("rm", "End sandboxes and everything in them.") { ids };
        engine.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var cove = await Connection.OpenAsync(engine.Choice(parsed), time, cancellationToken);
            var exitCode = ExitCodes.Ok;
            foreach (var id in parsed.GetRequiredValue(ids))
            {
                try
                {
                    await cove.DeleteSandboxAsync(id, cancellationToken);
                }
                catch (CoveException failure)
                {
                    // The others are still to be ended.
                    exitCode = Errors.Print(failure);
                }
            }

            return exitCode;
        });
        return command;
    }
}
