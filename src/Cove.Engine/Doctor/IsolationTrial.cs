using Cove.Engine.Isolation;
using Cove.Engine.Isolation.Namespaces;
using Cove.Engine.Templates;

namespace Cove.Engine.Doctor;

/// <summary>The proof: starts the backend and runs a command in a cell.</summary>
internal static class IsolationTrial
{
    private static readonly string[] _all = ["memory", "cpu", "pids", "landlock"];
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public static async Task<IsolationFinding> RunAsync(NamespacesOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var started = time.GetTimestamp();
        // Everything is allowed here, so that one start tells all that is missing.
        await using var backend = new NamespacesBackend(options with { AllowDegraded = _all.ToHashSet() }, time);
        try
        {
            await backend.StartAsync(either.Token);
            var tier = backend.Tier;
            var code = await RunTrueAsync(backend, either.Token);
            return new IsolationFinding
            {
                Privilege = tier.Privilege,
                Missing = tier.Degraded,
                Allowed = [.. tier.Degraded.Where(options.AllowDegraded.Contains)],
                CommandRan = code == 0,
                ElapsedMs = Math.Round(time.GetElapsedTime(started).TotalMilliseconds, 1),
                Error = code == 0 ? null : $"/usr/bin/true ended with exit code {code?.ToString() ?? "none"} in a sandbox",
            };
        }
        catch (CoveException error)
        {
            return new IsolationFinding { Privilege = "none", Error = error.Error.Message };
        }
        catch (Exception error) when (error is CellGoneException || (error is OperationCanceledException && timeout.IsCancellationRequested))
        {
            return new IsolationFinding { Privilege = "none", Error = error is CellGoneException ? error.Message : $"no answer within {_patience.TotalSeconds:0} s" };
        }
    }

    private static async Task<int?> RunTrueAsync(NamespacesBackend backend, CancellationToken cancellationToken)
    {
        var template = new Template { Name = "doctor", Description = "Nothing but the boundary." };
        await using var cell = await backend.StartCellAsync(template, template.Limits, cancellationToken);
        var command = await cell.StartCommandAsync(new CommandSpec(["/usr/bin/true"], "/", new Dictionary<string, string>()), template.Limits, cancellationToken);
        using (command.Stdin)
        using (command.Stdout)
        using (command.Stderr)
        {
            return (await command.Process.Exited.WaitAsync(cancellationToken)).Code;
        }
    }
}
