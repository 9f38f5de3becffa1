using Microsoft.Extensions.AI;

namespace Cove.Agent.Models;

/// <summary>Tokens of one or more calls of a model; the four kinds don't overlap.</summary>
/// <param name="Input">Read at the full price.</param>
/// <param name="Output">Written by the model.</param>
/// <param name="CacheRead">Read from the provider's cache.</param>
/// <param name="CacheWrite">Read and put into the provider's cache.</param>
public readonly record struct TokenCount(long Input, long Output, long CacheRead, long CacheWrite)
{
    /// <summary>The key under which clients report what was put into the cache.</summary>
    internal const string CacheWriteKey = "cache_creation_input_tokens";

    /// <summary>All of them.</summary>
    public long Total => Input + Output + CacheRead + CacheWrite;

    /// <summary>Both together.</summary>
    public static TokenCount operator +(TokenCount left, TokenCount right) => left.Add(right);

    /// <summary>Both together.</summary>
    public TokenCount Add(TokenCount other) => new(Input + other.Input, Output + other.Output, CacheRead + other.CacheRead, CacheWrite + other.CacheWrite);

    /// <summary>What came since.</summary>
    public static TokenCount operator -(TokenCount left, TokenCount right) => left.Subtract(right);

    /// <summary>What came since.</summary>
    public TokenCount Subtract(TokenCount other) => new(Input - other.Input, Output - other.Output, CacheRead - other.CacheRead, CacheWrite - other.CacheWrite);

    /// <summary>As Microsoft.Extensions.AI reports it, where the cached tokens are part of the input. Negative numbers count as 0.</summary>
    internal static TokenCount Of(UsageDetails usage)
    {
        var read = Math.Max(0, usage.CachedInputTokenCount ?? 0);
        var write = Math.Max(0, usage.AdditionalCounts is { } more && more.TryGetValue(CacheWriteKey, out var written) ? written : 0);
        return new(Math.Max(0, (usage.InputTokenCount ?? 0) - read - write), Math.Max(0, usage.OutputTokenCount ?? 0), read, write);
    }

    internal UsageDetails ToUsage() => new()
    {
        InputTokenCount = Input + CacheRead + CacheWrite,
        OutputTokenCount = Output,
        TotalTokenCount = Total,
        CachedInputTokenCount = CacheRead,
        AdditionalCounts = CacheWrite > 0 ? new() { [CacheWriteKey] = CacheWrite } : null,
    };
}
