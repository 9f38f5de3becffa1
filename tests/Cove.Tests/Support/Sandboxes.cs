using System.Text;

namespace Cove.Tests.Support;

/// <summary>A run with everything it said.</summary>
public sealed record Finished(IReadOnlyList<RunEvent> Events)
{
    public RunResult Result => Events.OfType<RunCompleted>().Single().Result;

    public RunOutcome Outcome => Result.Outcome;

    public string Stdout => Text(OutputStream.Stdout);

    public string Stderr => Text(OutputStream.Stderr);

    public IReadOnlyList<RunDisplay> Displays => [.. Events.OfType<RunDisplay>()];

    /// <summary>The plain text of the last expression's value.</summary>
    public string? Value => Displays.LastOrDefault(d => d.IsResult)?.Data.GetValueOrDefault("text/plain");

    public IReadOnlyList<string> Notices => [.. Events.OfType<RunNotice>().Select(n => n.Code)];

    /// <summary>For assertion messages: all that is known.</summary>
    public override string ToString() => $"{Outcome} {Result.Error?.Code} {Result.Error?.Message}\nstdout: {Stdout}\nstderr: {Stderr}\n{Result.Error?.Evidence?.Traceback}";

    private string Text(OutputStream stream) =>
        Events.OfType<RunOutput>().Where(o => o.Stream == stream).Aggregate(new StringBuilder(), (all, o) => all.Append(o.Text)).ToString();
}

/// <summary>A sandbox of the live engine for one test; gone at its end.</summary>
public sealed class TestSandbox(ICove cove, SandboxInfo info) : IAsyncDisposable
{
    public SandboxInfo Info => info;

    public SandboxId Id => info.Id;

    public ICove Cove => cove;

    public static async Task<TestSandbox> CreateAsync(ICove cove, SandboxRequest? request = null) =>
        new(cove, await cove.CreateSandboxAsync(request ?? new SandboxRequest { Template = "base" }));

    public Task<Finished> PythonAsync(string code, TimeSpan? timeout = null) =>
        RunAsync(new RunRequest { Code = code, Timeout = timeout ?? TimeSpan.FromSeconds(20) });

    public Task<Finished> ShellAsync(string line, TimeSpan? timeout = null) =>
        RunAsync(new RunRequest { ShellLine = line, Timeout = timeout ?? TimeSpan.FromSeconds(20) });

    public async Task<Finished> RunAsync(RunRequest request, CancellationToken cancellationToken = default)
    {
        var events = new List<RunEvent>();
        await foreach (var next in cove.RunAsync(Id, request, cancellationToken))
        {
            events.Add(next);
        }

        return new Finished(events);
    }

    public async ValueTask DisposeAsync() => await cove.DeleteSandboxAsync(Id);
}
