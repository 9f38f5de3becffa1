using Cove.Agent.Models;

namespace Cove.Agent.Loop;

/// <summary>What the calls of one run cost together. One call without a known price makes the whole unknown: a part of a sum is not the sum.</summary>
internal sealed class Costs(AgentOptions options)
{
    private decimal _sum;
    private bool _unknown;

    /// <summary>US dollars; null when it is not known, or nothing was asked yet.</summary>
    public decimal? Total { get; private set; }

    public void Add(IEnumerable<(string? Model, TokenCount Tokens)> calls)
    {
        foreach (var (model, tokens) in calls)
        {
            if (options.Prices.Of(model ?? options.Model) is { } price)
            {
                _sum += price.Of(tokens);
            }
            else
            {
                _unknown = true;
            }

            Total = _unknown ? null : _sum;
        }
    }
}
