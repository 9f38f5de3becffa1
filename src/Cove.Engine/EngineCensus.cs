using System.Diagnostics.Metrics;

namespace Cove.Engine;

/// <summary>What is alive in an engine at a moment.</summary>
/// <param name="States">Sandboxes by state.</param>
/// <param name="Runs">Runs in progress.</param>
/// <param name="Parked">Parked cells by template.</param>
internal sealed record EngineCensus(IReadOnlyDictionary<SandboxState, int> States, int Runs, IReadOnlyDictionary<string, int> Parked)
{
    /// <summary>Of an engine that can't say.</summary>
    public static EngineCensus Empty { get; } = new(new Dictionary<SandboxState, int>(), 0, new Dictionary<string, int>());

    /// <summary>All sandboxes that have not ended.</summary>
    public int Sandboxes => States.Values.Sum();
}

/// <summary>The same as gauges, read when somebody looks.</summary>
internal sealed class EngineGauges : IDisposable
{
    private readonly Meter _meter;

    /// <param name="engine">Whose gauges they are: two engines in one process are told apart by it.</param>
    /// <param name="count">Counts.</param>
    public EngineGauges(object engine, Func<EngineCensus> count)
    {
        _meter = new Meter(new MeterOptions(EngineMeter.Meter) { Scope = engine });
        _meter.CreateObservableGauge("cove.sandboxes", () => Counts(count().States), "{sandbox}", "Sandboxes that have not ended, by state.");
        _meter.CreateObservableGauge("cove.runs.active", () => count().Runs, "{run}", "Runs in progress.");
        _meter.CreateObservableGauge("cove.pool.parked", () => count().Parked.Select(p => new Measurement<int>(p.Value, new KeyValuePair<string, object?>("template", p.Key))), "{sandbox}", "Parked sandboxes, by template.");
    }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<int>> Counts(IReadOnlyDictionary<SandboxState, int> states) =>
        new[] { (SandboxState.Creating, "creating"), (SandboxState.Ready, "ready"), (SandboxState.Ending, "ending") }
            .Select(state => new Measurement<int>(states.GetValueOrDefault(state.Item1), new KeyValuePair<string, object?>("state", state.Item2)));
}
