using System.Text;
using System.Text.Json.Serialization;

namespace Cove;

/// <summary>A whole run in one object: what its stream says in pieces.</summary>
public sealed record FinishedRun
{
    /// <summary>The run's id; null for one that was refused.</summary>
    public RunId? Run { get; init; }

    /// <summary>The sandbox it was for.</summary>
    public required SandboxId Sandbox { get; init; }

    /// <summary>What its caller knows it by; null when there was nothing.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>How it ended.</summary>
    public required RunResult Result { get; init; }

    /// <summary>What it wrote to standard output, as far as it is shown (1 MiB).</summary>
    public required string Stdout { get; init; }

    /// <summary>What it wrote to standard error, as far as it is shown (1 MiB).</summary>
    public required string Stderr { get; init; }

    /// <summary>The rich values, in their order.</summary>
    public required IReadOnlyList<RunDisplay> Displays { get; init; }

    /// <summary>What else there is to know.</summary>
    public required IReadOnlyList<RunNotice> Notices { get; init; }

    /// <summary>The value of the last expression as text; null when there was none.</summary>
    [JsonIgnore]
    public string? Value => Displays.LastOrDefault(d => d.IsResult)?.Data.GetValueOrDefault("text/plain");
}

/// <summary>Calls made of the calls of <see cref="ICove"/>.</summary>
public static class CoveRuns
{
    /// <summary>Runs code or a command to its end and returns all of it at once. Cancelling interrupts the run; the report then says so.</summary>
    public static Task<FinishedRun> RunToEndAsync(this ICove cove, SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cove);
        return cove.RunAsync(sandbox, request, cancellationToken).CollectAsync(sandbox, CancellationToken.None);
    }

    /// <summary>Gathers the events of a run, from its first to its last, into one object.</summary>
    public static async Task<FinishedRun> CollectAsync(this IAsyncEnumerable<RunEvent> events, SandboxId sandbox, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        StringBuilder stdout = new(), stderr = new();
        List<RunDisplay> displays = [];
        List<RunNotice> notices = [];
        RunStarted? begun = null;
        RunResult? result = null;
        await foreach (var next in events.WithCancellation(cancellationToken))
        {
            switch (next)
            {
                case RunStarted started:
                    begun = started;
                    break;
                case RunOutput output:
                    (output.Stream == OutputStream.Stdout ? stdout : stderr).Append(output.Text);
                    break;
                case RunDisplay display:
                    displays.Add(display);
                    break;
                case RunNotice notice:
                    notices.Add(notice);
                    break;
                case RunCompleted completed:
                    result = completed.Result;
                    break;
            }
        }

        return new FinishedRun
        {
            Run = begun?.Run,
            Sandbox = sandbox,
            CorrelationId = begun?.CorrelationId,
            Result = result ?? throw new InvalidOperationException("The run's events ended without its end."),
            Stdout = stdout.ToString(),
            Stderr = stderr.ToString(),
            Displays = displays,
            Notices = notices,
        };
    }
}
