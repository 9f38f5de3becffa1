using System.CommandLine;

namespace Cove.Cli.Commands;

/// <summary><c>cove sandbox</c>: sandboxes that outlive one command.</summary>
internal static class SandboxCommand
{
    public static Command Create(IReadOnlyList<string> programArguments, TimeProvider time) => new("sandbox", "Sandboxes that are kept: made, used and removed one command at a time.")
    {
        SandboxCreateCommand.Create(time),
        SandboxListCommand.Create(time),
        SandboxExecCommand.Create(programArguments, time),
        SandboxCopyCommand.Create(time),
        SandboxLogsCommand.Create(time),
        SandboxRemoveCommand.Create(time),
    };

    /// <summary>The argument that names one.</summary>
    public static Argument<SandboxId> Id() => new("id")
    {
        Description = "The sandbox's id, as 'cove sandbox create' printed it.",
        CustomParser = result => Parse(result, result.Tokens[0].Value),
    };

    public static SandboxId Parse(System.CommandLine.Parsing.ArgumentResult result, string text)
    {
        if (!SandboxId.TryParse(text, out var id))
        {
            result.AddError($"'{text}' is no sandbox id: 1 to 40 characters of a-z and 0-9; cove sandbox list shows them.");
        }

        return id;
    }
}
