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

    private readonly Option<Uri?> _server = new("--server")
    {
        Description = "A Cove server to use instead of this machine's own engine, for example http://127.0.0.1:8787; its key is taken from COVE_API_KEY.",
        HelpName = "URL",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url is { PathAndQuery: "/", UserInfo: "", Fragment: "" })
            {
                return url;
            }

            result.AddError($"--server is '{text}', which is not acceptable: write http://HOST:PORT or https://HOST, nothing after it.");
            return null;
        },
    };

    /// <summary>For commands that start a backend of their own, not a warm engine.</summary>
    public void AddDegradedTo(Command command) => command.Options.Add(_allowDegraded);

    public void AddTo(Command command)
    {
        AddDegradedTo(command);
        command.Options.Add(_idle);
        command.Options.Add(_server);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_server) is not null && (result.GetResult(_allowDegraded) is not null || result.GetResult(_idle) is not null))
            {
                result.AddError("--server can't be combined with --allow-degraded or --engine-idle: a server has its engine already, with its own options.");
            }
        });
    }

    public EngineChoice Choice(ParseResult parsed) =>
        new() { AllowDegraded = parsed.GetValue(_allowDegraded) ?? [], Idle = parsed.GetValue(_idle), Server = parsed.GetValue(_server) };
}
