using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Agent.HttpTools;

/// <summary>How declared tools are run. Immutable.</summary>
public sealed record HttpToolsetOptions
{
    /// <summary>The clock of timeouts, waits and circuits. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where calls are logged: tool, host, status, tries, duration; never inputs, answers or secrets. Default: nowhere.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>What requests call themselves unless a declaration says otherwise. Default <c>cove</c>; 1 to 200 printable ASCII characters.</summary>
    public string UserAgent { get; init; } = "cove";

    /// <summary>Finds a host's addresses; what they are is judged by the rules of every call.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Chance, from 0 to 1, for the jitter of waits. Default: real chance.</summary>
    internal Func<double>? Chance { get; init; }

    internal void Validate()
    {
        if (UserAgent is not { Length: >= 1 and <= 200 } || UserAgent.Any(c => c is < ' ' or > '~'))
        {
            throw new InvalidOperationException($"{nameof(UserAgent)} has {UserAgent?.Length ?? 0} characters or one that is not printable ASCII. Give 1 to 200 of those.");
        }
    }
}
