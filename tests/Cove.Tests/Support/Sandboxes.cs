using System.Text;
using Xunit;

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

    /// <summary>What holds of every run, whatever it did: one terminal event, the last one, and no gap before it.</summary>
    public static Finished Checked(IReadOnlyList<RunEvent> events)
    {
        Assert.NotEmpty(events);
        Assert.IsType<RunCompleted>(events[^1]);
        Assert.Single(events.OfType<RunCompleted>());
        Assert.Equal(Enumerable.Range(1, events.Count).Select(i => (long)i), events.Select(e => e.Sequence));
        var result = ((RunCompleted)events[^1]).Result;
        Assert.Equal(result.Outcome == RunOutcome.Ok, result.Error is null);
        return new Finished(events);
    }

    /// <summary>For assertion messages: all that is known.</summary>
    public override string ToString() =>
        $"{Outcome} {Result.Error?.Code} {Result.Error?.Message}\nstdout: {Short(Stdout)}\nstderr: {Short(Stderr)}\n{Result.Error?.Evidence?.Traceback}";

    private static string Short(string text) => text.Length <= 4000 ? text : text[..4000] + $"… ({text.Length} characters)";

    private string Text(OutputStream stream) =>
        Events.OfType<RunOutput>().Where(o => o.Stream == stream).Aggregate(new StringBuilder(), (all, o) => all.Append(o.Text)).ToString();
}

/// <summary>A sandbox of the live engine for one test; gone at its end.</summary>
public sealed class TestSandbox(ICove cove, SandboxInfo info) : IAsyncDisposable
{
    public SandboxInfo Info => info;

    public SandboxId Id => info.Id;

    public ICove Cove => cove;

    /// <summary>Waits in line for as long as it takes, unless the request says otherwise: other tests may be before it.</summary>
    public static async Task<TestSandbox> CreateAsync(ICove cove, SandboxRequest? request = null)
    {
        request ??= new SandboxRequest { Template = "base" };
        return new(cove, await Hang.WatchAsync(cove.CreateSandboxAsync(request with { CreateTimeout = request.CreateTimeout ?? Hang.Limit })));
    }

    public Task<Finished> PythonAsync(string code, TimeSpan? timeout = null) =>
        RunAsync(new RunRequest { Code = code, Timeout = timeout ?? TimeSpan.FromSeconds(60) });

    public Task<Finished> ShellAsync(string line, TimeSpan? timeout = null) =>
        RunAsync(new RunRequest { ShellLine = line, Timeout = timeout ?? TimeSpan.FromSeconds(60) });

    public Task<Finished> RunAsync(RunRequest request, CancellationToken cancellationToken = default) => Start(request, cancellationToken).Completion;

    /// <summary>Begins a run that is looked at while it goes on.</summary>
    public LiveRun Start(RunRequest request, CancellationToken cancellationToken = default) => new(cove, Id, request, cancellationToken);

    public LiveRun StartPython(string code) => Start(new RunRequest { Code = code, Timeout = TimeSpan.FromSeconds(60) });

    /// <summary>Runs code that must end well, and returns what it printed.</summary>
    public async Task<string> PrintedAsync(string code)
    {
        var run = await PythonAsync(code);
        Assert.True(run.Outcome == RunOutcome.Ok, run.ToString());
        return run.Stdout.TrimEnd('\n');
    }

    public Task<FileEntry> WriteAsync(string path, string text, FileWriteOptions? options = null) =>
        cove.WriteFileAsync(Id, path, new MemoryStream(Encoding.UTF8.GetBytes(text)), options);

    public async Task<string> ReadAsync(string path)
    {
        await using var file = await cove.ReadFileAsync(Id, path);
        using var reader = new StreamReader(file);
        return await reader.ReadToEndAsync();
    }

    public async ValueTask DisposeAsync() => await Hang.WatchAsync(cove.DeleteSandboxAsync(Id));
}
