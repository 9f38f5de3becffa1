using System.Globalization;

namespace Cove.Cli.Warm;

/// <summary>Which engine a command wants.</summary>
internal sealed record EngineChoice
{
    /// <summary>Protections that may be missing, by name.</summary>
    public IReadOnlyList<string> AllowDegraded { get; init; } = [];

    /// <summary>After how much idle time an engine started by this command ends. Null: the default, 10 minutes.</summary>
    public TimeSpan? Idle { get; init; }

    /// <summary>A server to use instead of this user's own engine. Null: the own one.</summary>
    public Uri? Server { get; init; }

    /// <summary>The arguments that start it.</summary>
    public IReadOnlyList<string> RunArguments()
    {
        List<string> arguments = ["engine", "run", "--background"];
        if (AllowDegraded.Count > 0)
        {
            arguments.AddRange(["--allow-degraded", string.Join(',', AllowDegraded)]);
        }

        if (Idle is { } idle)
        {
            arguments.AddRange(["--engine-idle", idle.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) + "ms"]);
        }

        return arguments;
    }
}
