using Cove.Engine;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Support;

/// <summary>A whole engine over a <see cref="FakeBackend"/>, with one template.</summary>
internal sealed class EngineHarness : IAsyncDisposable
{
    private EngineHarness(FakeBackend backend, SandboxEngine engine)
    {
        Backend = backend;
        Engine = engine;
    }

    public FakeBackend Backend { get; }

    public SandboxEngine Engine { get; }

    public static async Task<EngineHarness> StartAsync(
        FakeBackend? backend = null, TimeProvider? time = null, Func<EngineOptions, EngineOptions>? options = null, string template = """{"description":"For tests.","pool_size":1}""")
    {
        backend ??= new FakeBackend();
        var directory = TemporaryPlace.Make();
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, "python-data.json"), template);
        var chosen = new EngineOptions { TemplatesDirectory = directory.FullName, CreateConcurrency = 2 };
        if (time is null)
        {
            chosen = chosen with { InterruptGrace = TimeSpan.FromSeconds(60) }; // on the real clock no test may hang on how soon a fake answers
        }

        var engine = new SandboxEngine(backend, options?.Invoke(chosen) ?? chosen, time ?? TimeProvider.System, NullLogger.Instance);
        await engine.StartAsync();
        directory.Delete(recursive: true);
        return new EngineHarness(backend, engine);
    }

    /// <summary>A sandbox and the cell it got.</summary>
    public async Task<(SandboxId Id, FakeCell Cell)> CreateAsync(SandboxRequest? request = null)
    {
        var info = await Eventually.Within(Engine.CreateSandboxAsync(request ?? new SandboxRequest()));
        return (info.Id, (FakeCell)Engine.CellOf(info.Id)!);
    }

    /// <summary>All events of a run; checks what holds for every run.</summary>
    public async Task<List<RunEvent>> RunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default)
    {
        var events = new List<RunEvent>();
        await foreach (var next in Engine.RunAsync(sandbox, request, cancellationToken))
        {
            events.Add(next);
        }

        CheckShape(events);
        return events;
    }

    public async Task<RunResult> ResultAsync(SandboxId sandbox, string code, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        ((RunCompleted)(await Eventually.Within(RunAsync(sandbox, new RunRequest { Code = code, Timeout = timeout }, cancellationToken)))[^1]).Result;

    /// <summary>Numbered from 1 without gaps; exactly one terminal event, the last; an error exactly when the outcome is not ok.</summary>
    public static void CheckShape(IReadOnlyList<RunEvent> events)
    {
        Assert.Equal(Enumerable.Range(1, events.Count).Select(i => (long)i), events.Select(e => e.Sequence));
        var completed = Assert.Single(events.OfType<RunCompleted>());
        Assert.Same(completed, events[^1]);
        Assert.Equal(completed.Result.Outcome == RunOutcome.Ok, completed.Result.Error is null);
        Assert.True(completed.Result.Outcome == RunOutcome.Refused ? events.Count == 1 : events[0] is RunStarted);
    }

    public ValueTask DisposeAsync() => Engine.DisposeAsync();

}
