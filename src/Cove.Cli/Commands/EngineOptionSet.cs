using System.CommandLine;
using Cove.Cli.Warm;

namespace Cove.Cli.Commands;

/// <summary>The options that choose the engine.</summary>
internal sealed class EngineOptionSet
{
    /// <summary>What an engine can do without when it is told to; everything else it always demands.</summary>
    private static readonly string[] _protections = ["memory", "cpu", "pids", "landlock", "ids"];

    private readonly Option<string[]> _allowDegraded = new("--allow-degraded")
    {
        Description = "Protections that may be missing on this machine, by name: memory,cpu. Without it a missing one is refused.",
        HelpName = "NAMES",
        CustomParser = result =>
        {
            var names = result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToArray();

            // They become part of a file's name. A misspelt one would start an engine of its own that then refuses everything.
            foreach (var name in names.Except(_protections))
            {
                result.AddError($"--allow-degraded is '{name}', which is not acceptable: write one or more of {string.Join(", ", _protections)}, separated by commas.");
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
