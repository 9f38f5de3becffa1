using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class CreationConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task A_burst_of_fifty_waits_in_line_and_never_fails()
    {
        await using var engine = await Backend.StartAsync(o => o with { PoolSize = 2 });
        var sandboxes = await Hang.WatchAsync(Task.WhenAll(Enumerable.Range(0, 50).Select(_ => TestSandbox.CreateAsync(engine))));
        Assert.Equal(50, sandboxes.Select(s => s.Id).Distinct().Count());
        var runs = await Task.WhenAll(sandboxes.Select((s, i) => s.PythonAsync($"{i} * 2")));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (i * 2).ToString()), runs.Select(r => r.Value));
    }

    [Fact]
    public async Task Without_a_pool_sandboxes_are_made_on_demand()
    {
        await using var engine = await Backend.StartAsync(o => o with { PoolSize = 0 });
        var sandboxes = await Hang.WatchAsync(Task.WhenAll(Enumerable.Range(0, 5).Select(_ => TestSandbox.CreateAsync(engine))));
        Assert.Equal("2", (await sandboxes[4].PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task Who_gets_no_place_in_time_is_told_so_and_may_try_again()
    {
        await using var engine = await Backend.StartAsync(o => o with { MaxSandboxes = 1, PoolSize = 0 });
        var first = await TestSandbox.CreateAsync(engine);
        var request = new SandboxRequest { Template = "base", CreateTimeout = TimeSpan.FromMilliseconds(100) };
        var error = await RefusalAsync(() => engine.CreateSandboxAsync(request));
        Assert.Equal(("create_deadline", true), (error.Code, error.Retryable));
        Assert.Contains("MaxSandboxes", error.Remediation, StringComparison.Ordinal);
        var waiting = engine.CreateSandboxAsync(new SandboxRequest { Template = "base" });
        await first.DisposeAsync();
        Assert.Equal(SandboxState.Ready, (await Hang.WatchAsync(waiting)).State);
    }

    [Fact]
    public async Task A_caller_who_stops_waiting_leaves_no_place_taken()
    {
        await using var engine = await Backend.StartAsync(o => o with { MaxSandboxes = 1, PoolSize = 0 });
        var first = await TestSandbox.CreateAsync(engine);
        using var impatient = new CancellationTokenSource();
        var waiting = engine.CreateSandboxAsync(new SandboxRequest { Template = "base" }, impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Hang.WatchAsync(waiting));
        await first.DisposeAsync();
        await using var next = await TestSandbox.CreateAsync(engine);
        Assert.Equal("2", (await next.PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task A_zygote_that_made_its_share_is_replaced_while_its_kernels_go_on()
    {
        using var templates = new TemporaryDirectory();
        await File.WriteAllTextAsync(Path.Combine(templates.Path, "few.json"), """{ "description": "Few children a zygote.", "zygote_children": 3, "pool_size": 0 }""");
        await using var engine = await Backend.StartAsync(o => o with { TemplatesDirectory = templates.Path, PoolSize = 0 });
        var request = new SandboxRequest { Template = "few" };
        var first = await TestSandbox.CreateAsync(engine, request);
        // Kernels of one zygote share its hash seed, and no two zygotes have the same.
        var seed = await first.PrintedAsync("kept = 41; print(hash('a seed'))");
        await Hang.UntilAsync(
            async () =>
            {
                await using var next = await TestSandbox.CreateAsync(engine, request);
                return await next.PrintedAsync("print(hash('a seed'))") != seed;
            },
            "a kernel comes from another zygote");
        Assert.Equal("42", (await first.PythonAsync("kept + 1")).Value);
        Assert.Equal(0, (await engine.ListKernelsAsync(first.Id)).Single().Restarts);
    }
}
