using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Cove.Engine;

/// <summary>What engines count and trace. Nothing here costs anything unless somebody listens; every label has a handful of values, none chosen by a caller.</summary>
internal static class EngineMeter
{
    /// <summary>The meter's name.</summary>
    public const string Meter = "Cove";

    /// <summary>The name of the source of runs' spans.</summary>
    public const string Name = "Cove.Engine";

    private static readonly Meter _meter = new(Meter);

    private static readonly Counter<long> _runs = _meter.CreateCounter<long>("cove.runs", "{run}", "Runs that ended, by outcome and kind.");
    private static readonly Histogram<double> _runDurations = _meter.CreateHistogram<double>("cove.run.duration", "s", "Time of a run from its admission to its end, by kind.");
    private static readonly Counter<long> _bytes = _meter.CreateCounter<long>("cove.run.output", "By", "Bytes that guests wrote, by stream.");
    private static readonly Histogram<double> _creations = _meter.CreateHistogram<double>("cove.sandbox.creation.duration", "s", "Time from a request for a sandbox to one that answers, by template.");
    private static readonly Counter<long> _claims = _meter.CreateCounter<long>("cove.pool.claims", "{claim}", "Claims of parked sandboxes, by template and result: hit, or miss when the claim had to wait.");

    private static readonly ActivitySource _source = new(Name);

    /// <summary>The span of a run; null when nobody traces.</summary>
    public static Activity? StartRun(RunRequest request, RunId run, SandboxId sandbox, string template)
    {
        var activity = _source.StartActivity("run");
        if (activity is { IsAllDataRequested: true })
        {
            activity.DisplayName = "run " + Kind(request);
            activity.SetTag("cove.run", run.Value).SetTag("cove.sandbox", sandbox.Value).SetTag("cove.template", template).SetTag("cove.correlation_id", request.CorrelationId);
        }

        return activity;
    }

    public static void RunEnded(Activity? activity, RunRequest request, RunResult result)
    {
        var (outcome, kind) = (Outcome(result.Outcome), Kind(request));
        activity?.SetTag("cove.outcome", outcome);
        activity?.SetStatus(result.Outcome == RunOutcome.InfrastructureFailure ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
        _runs.Add(1, new("outcome", outcome), new("kind", kind));
        _runDurations.Record(result.Duration.TotalSeconds, new KeyValuePair<string, object?>("kind", kind));
        _bytes.Add(result.StdoutBytes, new KeyValuePair<string, object?>("stream", "stdout"));
        _bytes.Add(result.StderrBytes, new KeyValuePair<string, object?>("stream", "stderr"));
    }

    public static void SandboxCreated(string template, TimeSpan duration) => _creations.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("template", template));

    public static void Claimed(string template, bool atOnce) => _claims.Add(1, new("template", template), new("result", atOnce ? "hit" : "miss"));

    private static string Kind(RunRequest request) => request.Code is null ? "command" : request.Language switch
    {
        Language.Python => "python",
        Language.Bash => "bash",
        _ => "javascript",
    };

    private static string Outcome(RunOutcome outcome) => outcome switch
    {
        RunOutcome.Ok => "ok",
        RunOutcome.GuestError => "guest_error",
        RunOutcome.TimedOut => "timed_out",
        RunOutcome.OutOfMemory => "out_of_memory",
        RunOutcome.OutputLimit => "output_limit",
        RunOutcome.Interrupted => "interrupted",
        RunOutcome.Killed => "killed",
        RunOutcome.Refused => "refused",
        _ => "infrastructure_failure",
    };
}
