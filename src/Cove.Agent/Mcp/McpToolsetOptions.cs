using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Agent.Mcp;

/// <summary>How MCP servers are used.</summary>
public sealed record McpToolsetOptions
{
    /// <summary>How long a server may take to start and to list its tools. Default 30 s; 1 s to 10 minutes.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one call may take. Default 2 minutes; 1 s to 1 hour.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Text of one result, in bytes of UTF-8; of more the beginning and the end are kept. Default 20,000; 1,000 to 1,000,000.</summary>
    public int MaxResultBytes { get; init; } = 20_000;

    /// <summary>Tools of one server; those beyond are left out. Default 128; 1 to 1,000.</summary>
    public int MaxTools { get; init; } = 128;

    /// <summary>What <c>${NAME}</c> stands for. Default: the variables of this process.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Where messages go, those of started servers too. Default: nowhere.</summary>
    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal McpToolsetOptions Checked()
    {
        Require(ConnectTimeout, nameof(ConnectTimeout), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Require(CallTimeout, nameof(CallTimeout), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Require(MaxResultBytes, nameof(MaxResultBytes), 1000, 1_000_000);
        Require(MaxTools, nameof(MaxTools), 1, 1000);
        return this;
    }

    private static void Require<T>(T value, string name, T least, T most)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; give {least} to {most}.");
        }
    }
}
