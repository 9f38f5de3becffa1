using System.CommandLine;
using Cove.Cli.Warm;

namespace Cove.Cli.Commands;

/// <summary>The options that choose the engine.</summary>
internal sealed class EngineOptionSet
{
    private readonly Option<string[]> _allowDegraded = new("--allow-degraded")
    {
        Description = "Protections that may be missing on this machine, by name: memory,cpu. Without it a missing one is refused.",
        HelpName = "NAMES",
        CustomParser = result =>
        {
            var names = result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToArray();

            // They become part of a file's name; which of them exist is the engine's to say.
            foreach (var name in names.Where(name => name.Length > 20 || name.Any(c => c is not ((>= 'a' and <= 'z') or '_'))))
            {
                result.AddError($"--allow-degraded is '{name}', which is not acceptable: write names such as memory,cpu.");
            }

            return names;
        },
    };

    private readonly Option<TimeSpan?> _idle = SandboxOptions.DurationOption("--engine-idle", "After how much idle time an engine that this command starts ends. Default: 10m.");

    /// <summary>For commands that start a backend of their own, not a warm engine.</summary>
    public void AddDegradedTo(Command command) => command.Options.Add(_allowDegraded);

    public void AddTo(Command command)
    {
        AddDegradedTo(command);
        command.Options.Add(_idle);
    }

    public EngineChoice Choice(ParseResult parsed) => new() { AllowDegraded = parsed.GetValue(_allowDegraded) ?? [], Idle = parsed.GetValue(_idle) };
}
