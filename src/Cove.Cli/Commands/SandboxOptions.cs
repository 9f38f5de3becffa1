using System.CommandLine;
using Cove.Cli.Running;
using Cove.Cli.Warm;
using Cove.Engine;

namespace Cove.Cli.Commands;

/// <summary>The options that every verb shares which makes a sandbox.</summary>
internal sealed class SandboxOptions
{
    private delegate bool TryRead<T>(string text, out T value, out string fix);

    private readonly Option<Language?> _language = new("--language", "-l") { Description = "python, bash or javascript. Default: from the script's ending, else python.", HelpName = "LANGUAGE", CustomParser = ReadLanguage };
    private readonly Option<string?> _template = new("--template") { Description = "The template to start from. Default: python-data.", HelpName = "NAME" };
    private readonly Option<long?> _memory = Quantity<long>("--memory", "Memory of the whole sandbox, for example 256MB. Default: the template's, 1GB.", "SIZE", Sizes(() => LimitRanges.Memory));
    private readonly Option<long?> _disk = Quantity<long>("--disk", "Disk space of the sandbox, for example 256MB. Default: the template's, 256MB.", "SIZE", Sizes(() => LimitRanges.Disk));
    private readonly Option<int?> _cpus = Quantity<int>("--cpus", "Processors, for example 1 or 0.5. Default: the template's, 1.", "NUMBER", Quantities.TryCpus);
    private readonly Option<int?> _pids = Quantity<int>("--pids", "Processes and threads. Default: the template's, 128.", "COUNT", Pids);
    private readonly Option<Dictionary<string, string>> _environment = new("--env", "-e") { Description = "An environment variable of the sandbox, K=V. May be given often.", HelpName = "K=V", AllowMultipleArgumentsPerToken = false, CustomParser = ReadEnvironment };
    private readonly EngineOptionSet _engine = new();

    public Option<TimeSpan?> Timeout { get; } = Quantity<TimeSpan>("--timeout", "Wall time of a run, for example 30s. Default: 30s.", "DURATION", WallTime);

    /// <summary>For verbs that make a sandbox and run something in it.</summary>
    public void AddTo(Command command) => Add(command, _language, _template, Timeout, _memory, _cpus, _pids, _disk, _environment);

    /// <summary>For verbs that only make one.</summary>
    public void AddSandboxTo(Command command) => Add(command, _template, _memory, _cpus, _pids, _disk, _environment);

    /// <summary>For verbs that run something in one that is there.</summary>
    public void AddRunTo(Command command) => Add(command, _language, Timeout, _environment);

    public Language? Language(ParseResult parsed) => parsed.GetValue(_language);

    public IReadOnlyDictionary<string, string>? Environment(ParseResult parsed) => parsed.GetValue(_environment);

    public EngineChoice Engine(ParseResult parsed) => _engine.Choice(parsed);

    public SandboxRequest Request(ParseResult parsed, TimeSpan idleTimeout, TimeSpan? maxLifetime)
    {
        var request = new SandboxRequest
        {
            Limits = new SandboxLimitsRequest
            {
                MemoryBytes = parsed.GetValue(_memory),
                DiskBytes = parsed.GetValue(_disk),
                CpuMillis = parsed.GetValue(_cpus),
                Pids = parsed.GetValue(_pids),
            },
            Environment = Environment(parsed),
            IdleTimeout = idleTimeout,
            MaxLifetime = maxLifetime,
        };
        return parsed.GetValue(_template) is { } template ? request with { Template = template } : request;
    }

    /// <summary>An option whose value has a unit; a bad one is answered with the flag, the value and the fix.</summary>
    private static Option<T?> Quantity<T>(string name, string description, string helpName, TryRead<T> read)
        where T : struct => new(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result =>
            {
                var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
                if (read(text, out var value, out var fix))
                {
                    return value;
                }

                result.AddError($"{name} is '{text}', which is not acceptable: {fix}.");
                return null;
            },
        };

    /// <summary>Checked here, where the message can name the option and speak of sizes; the range is asked for only when there is one to check, since it is the engine's.</summary>
    private static TryRead<long> Sizes(Func<LimitRange> range) => (string text, out long value, out string fix) =>
    {
        var read = Quantities.TryBytes(text, out value, out fix);
        fix += $"; from {Quantities.Size(range().Minimum)} to {Quantities.Size(range().Maximum)} is possible";
        return read && value >= range().Minimum && value <= range().Maximum;
    };

    private static bool Pids(string text, out int value, out string fix)
    {
        var read = Quantities.TryCount(text, out value, out _);
        fix = $"write a whole number from {LimitRanges.Pids.Minimum} to {LimitRanges.Pids.Maximum}, for example 64";
        return read && value >= LimitRanges.Pids.Minimum && value <= LimitRanges.Pids.Maximum;
    }

    private static bool WallTime(string text, out TimeSpan value, out string fix)
    {
        var read = Quantities.TryDuration(text, out value, out fix);
        fix += "; from 10ms to 24h is possible";
        return read && value >= TimeSpan.FromMilliseconds(10) && value <= TimeSpan.FromHours(24);
    }

    private static Language? ReadLanguage(System.CommandLine.Parsing.ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (Languages.TryParse(text, out var language))
        {
            return language;
        }

        result.AddError($"--language is '{text}', which is not acceptable: write python, bash or javascript.");
        return null;
    }

    private static Dictionary<string, string> ReadEnvironment(System.CommandLine.Parsing.ArgumentResult result) =>
        ReadPairs("--env", result, " Variables of your own environment are never passed on by name.");

    /// <summary>Reads what is written as K=V.</summary>
    public static Dictionary<string, string> ReadPairs(string option, System.CommandLine.Parsing.ArgumentResult result, string more = "")
    {
        var pairs = new Dictionary<string, string>();
        foreach (var token in result.Tokens)
        {
            var equals = token.Value.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                result.AddError($"{option} is '{token.Value}', which is not acceptable: write NAME=VALUE.{more}");
                continue;
            }

            pairs[token.Value[..equals]] = token.Value[(equals + 1)..];
        }

        return pairs;
    }

    private void Add(Command command, params IReadOnlyList<Option> options)
    {
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        _engine.AddTo(command);
    }

    /// <summary>Shared with the verbs that only need an engine.</summary>
    public static Option<TimeSpan?> DurationOption(string name, string description) => Quantity<TimeSpan>(name, description, "DURATION", Quantities.TryDuration);
}
