using System.Collections.Frozen;

namespace Cove.Agent.Models;

/// <summary>What a model's tokens cost, US dollars for a million.</summary>
/// <param name="Input">Read at the full price.</param>
/// <param name="Output">Written.</param>
/// <param name="CacheRead">Read from the provider's cache.</param>
/// <param name="CacheWrite">Read and put into the provider's cache for 5 minutes.</param>
public sealed record ModelPrice(decimal Input, decimal Output, decimal CacheRead, decimal CacheWrite)
{
    private const decimal Million = 1_000_000m;

    /// <summary>Above how many tokens read (cached ones too) a call costs <see cref="Long"/> instead; null: never.</summary>
    public long? LongAbove { get; init; }

    /// <summary>The price of a call that reads more than <see cref="LongAbove"/>.</summary>
    public ModelPrice? Long { get; init; }

    /// <summary>What one call costs, US dollars.</summary>
    public decimal Of(TokenCount call) => Long is not null && call.Total - call.Output > LongAbove
        ? Long.Of(call)
        : ((call.Input * Input) + (call.Output * Output) + (call.CacheRead * CacheRead) + (call.CacheWrite * CacheWrite)) / Million;
}

/// <summary>Prices by model. A model that is not in the table has no price: its cost is not known, which is not 0.</summary>
public sealed class ModelPrices(IReadOnlyDictionary<string, ModelPrice> prices)
{
    /// <summary>The provider's list prices as published on 2026-10-24. Prices change: give your own table where cost matters.</summary>
    public static ModelPrices Known { get; } = new(new Dictionary<string, ModelPrice>
    {
        ["claude-opus-5-5"] = new(4, 20, 0.20m, 5),
        ["claude-sonnet-5-5"] = new(2, 10, 0.10m, 2.50m),
        ["claude-haiku-5-5"] = new(0.10m, 0.50m, 0.01m, 0.125m) { LongAbove = 100_000, Long = new(0.50m, 2.50m, 0.05m, 0.625m) },
        ["claude-fable-5-1"] = new(10, 50, 0.25m, 12.50m),
        ["claude-mythos-5-1"] = new(10, 50, 0.25m, 12.50m),
        ["claude-opus-5"] = new(5, 25, 0.50m, 6.25m),
        ["claude-sonnet-5"] = new(2, 10, 0.20m, 2.50m),
        ["claude-opus-4-8"] = new(5, 25, 0.50m, 6.25m),
        ["claude-opus-4-7"] = new(5, 25, 0.50m, 6.25m),
        ["claude-opus-4-6"] = new(5, 25, 0.50m, 6.25m),
        ["claude-opus-4-5"] = new(5, 25, 0.50m, 6.25m),
        ["claude-sonnet-4-6"] = new(3, 15, 0.30m, 3.75m),
        ["claude-sonnet-4-5"] = new(3, 15, 0.30m, 3.75m),
        ["claude-haiku-4-5"] = new(1, 5, 0.10m, 1.25m),
    });

    /// <summary>No prices: every cost is unknown.</summary>
    public static ModelPrices None { get; } = new(FrozenDictionary<string, ModelPrice>.Empty);

    /// <summary>The price of a model; a dated name (<c>claude-haiku-4-5-20251001</c>) has the price of the undated one. Null when it is not known.</summary>
    public ModelPrice? Of(string? model)
    {
        if (model is null)
        {
            return null;
        }

        return prices.GetValueOrDefault(model) ?? (IsDated(model) ? prices.GetValueOrDefault(model[..^9]) : null);
    }

    private static bool IsDated(string model) => model.Length > 9 && model[^9] == '-' && model[^8..].All(char.IsAsciiDigit);
}
