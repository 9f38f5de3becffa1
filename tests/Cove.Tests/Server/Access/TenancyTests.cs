using System.Reflection;
using Cove.Server.Access.Audit;
using Cove.Server.Access.Quotas;
using Cove.Server.Access.Tenancy;
using Cove.Server.Hosting;
using Cove.Server.State;
using Cove.Tests.Support;
using Cove.Wire;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Server.Access;

/// <summary>Another project's objects are not there: on every route, and in every member of the seam.</summary>
public sealed class TenancyTests
{
    private static readonly Dictionary<Type, string> _bodies = new()
    {
        [typeof(RunRequest)] = """{"code":"1"}""",
        [typeof(KernelRequest)] = """{"id":"k","language":"python"}""",
        [typeof(DirectoryRequest)] = """{"path":"/workspace/d"}""",
        [typeof(MoveRequest)] = """{"from":"/workspace/a","to":"/workspace/b"}""",
        [typeof(SandboxExtension)] = """{"lifetime_ms":60000}""",
        [typeof(TerminalRequest)] = "{}",
        [typeof(ToolResults)] = """{"results":[{"call_id":"call_1","result":1}]}""",
    };

    private static readonly Dictionary<string, string> _parameters = new() { ["run"] = "r2345678", ["kernel"] = "python" };

    [Fact]
    public async Task On_every_route_another_projects_sandbox_is_as_absent_as_one_that_never_was()
    {
        var cove = new FakeCove();
        await using var server = await AccessServer.StartAsync(cove);
        var (owner, stranger) = (await server.KeyAsync("alpha"), await server.KeyAsync("beta"));
        var real = await server.SandboxAsync(owner);
        cove.Files["/workspace/a"] = [1];
        var routes = server.Endpoints.Where(route => route.RoutePattern.Parameters.Any(p => p.Name == "sandbox")).ToArray();
        Assert.True(routes.Length >= 15, "The routes were not found.");
        foreach (var route in routes)
        {
            var never = SandboxId.New();
            var foreign = await AskAsync(server, route, real, stranger);
            var absent = await AskAsync(server, route, never, owner);
            var name = route.RoutePattern.RawText;
            Assert.True(foreign.StartsWith("404 ", StringComparison.Ordinal), $"{name} answers {foreign}");
            Assert.True(foreign.Replace(real.Value, "ID", StringComparison.Ordinal) == absent.Replace(never.Value, "ID", StringComparison.Ordinal), $"{name} tells a foreign sandbox from an absent one: {foreign} {absent}");
        }

        Assert.Single(cove.Sandboxes);
        Assert.Empty(cove.Calls);
        Assert.Null(cove.LastRun);
    }

    [Fact]
    public async Task Every_route_says_what_it_needs()
    {
        await using var server = await AccessServer.StartAsync(new FakeCove());
        Assert.NotEmpty(server.Endpoints);
        string[] open = ["/readyz", "/openapi.json", "/docs", "/docs/docs.js", "/docs/docs.css"];
        foreach (var route in server.Endpoints)
        {
            var operation = route.Metadata.GetMetadata<Operation>();
            Assert.True(operation is not null, $"{route.RoutePattern.RawText} has no operation.");
            Assert.True(operation.Needs != Scopes.None || open.Contains(route.RoutePattern.RawText), $"{route.RoutePattern.RawText} needs no key.");
        }
    }

    [Fact]
    public async Task Lists_hold_the_projects_own()
    {
        var cove = new FakeCove();
        await using var server = await AccessServer.StartAsync(cove);
        var (one, two) = (await server.KeyAsync("alpha"), await server.KeyAsync("beta"));
        var mine = await server.SandboxAsync(one);
        Assert.Equal("alpha", cove.LastCreate!.Owner); // the engine hears whose it is
        var theirs = await server.SandboxAsync(two);
        Assert.Equal("beta", cove.LastCreate.Owner);
        using var list = await server.SendAsync("GET", "/v1/sandboxes", one);
        var text = await list.Content.ReadAsStringAsync();
        Assert.Contains(mine.Value, text, StringComparison.Ordinal);
        Assert.DoesNotContain(theirs.Value, text, StringComparison.Ordinal);
    }

    public static TheoryData<string> Members() => [.. typeof(ICove).GetMethods().Where(m => m.GetParameters() is [var first, ..] && first.ParameterType == typeof(SandboxId)).Select(m => m.Name)];

    [Theory]
    [MemberData(nameof(Members))]
    public async Task Every_member_refuses_a_foreign_sandbox_before_the_engine_hears_of_it(string member)
    {
        using var directory = new TemporaryDirectory();
        await using var state = await StateStore.OpenAsync(new StateOptions { DataDirectory = Path.Combine(directory.Path, "d") }, NullLogger.Instance);
        await state.Projects.AddAsync("alpha", default);
        await state.Projects.AddAsync("beta", default);
        var (engine, record) = RecordingCove.Create();
        await using var ledger = new Ledger(new FakeCove(), state, _ => null, NullLogger.Instance);
        await using var guarded = new Ledger(engine, state, _ => null, NullLogger.Instance);
        var id = await CreateAsync(ledger, state, "alpha");

        var view = new ProjectCove(guarded, new ProjectQuota("beta", new QuotaOptions(), state), "beta", null, new AuditNote());
        var failure = await Assert.ThrowsAsync<CoveException>(() => CallAsync(view, typeof(ICove).GetMethod(member)!, id));
        Assert.Equal(("sandbox_not_found", ErrorCategory.NotFound), (failure.Error.Code, failure.Error.Category));
        Assert.DoesNotContain(member, record.Calls);
    }

    [Fact]
    public void The_words_for_absence_are_the_engines_own()
    {
        var id = SandboxId.New();
        Assert.Equal(Engine.Refusals.SandboxNotFound(id).Error, Absence.NotFound(id).Error);
        Assert.All(Enum.GetValues<SandboxEndReason>(), reason => Assert.Equal(Engine.Refusals.SandboxEnded(id, reason).Error, Absence.Ended(id, reason).Error));
        Assert.Equal(Engine.Refusals.SandboxEnded(id, null).Error, Absence.Ended(id, null).Error);
    }

    [Fact]
    public async Task After_a_restart_what_was_alive_is_told_as_lost_to_its_owner_alone()
    {
        using var directory = new TemporaryDirectory();
        var options = new StateOptions { DataDirectory = Path.Combine(directory.Path, "d") };
        string owner, stranger;
        SandboxId id;
        await using (var state = await StateStore.OpenAsync(options, NullLogger.Instance))
        {
            await state.BeginServingAsync();
            await state.Projects.AddAsync("alpha", default);
            id = (await new FakeCove().CreateSandboxAsync(new SandboxRequest())).Id;
            var info = await new FakeCove().CreateSandboxAsync(new SandboxRequest());
            await state.Sandboxes.AddAsync(info with { Id = id }, "alpha", null, state.Node);
        }

        await using var server = await AccessServer.StartAsync(new FakeCove(), options);
        (owner, stranger) = (await server.KeyAsync("alpha"), await server.KeyAsync("beta"));
        using var found = await server.SendAsync("GET", "/v1/sandboxes/" + id.Value, owner);
        Assert.Contains("\"end_reason\":\"engine_lost\"", await found.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var run = await server.SendAsync("POST", $"/v1/sandboxes/{id.Value}/runs", owner, """{"code":"1"}""");
        Assert.Contains("\"code\":\"sandbox_ended\"", await run.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var deleted = await server.SendAsync("DELETE", "/v1/sandboxes/" + id.Value, owner);
        Assert.Equal(System.Net.HttpStatusCode.NoContent, deleted.StatusCode);
        using var foreign = await server.SendAsync("GET", "/v1/sandboxes/" + id.Value, stranger);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, foreign.StatusCode);
    }

    [Fact]
    public async Task Pages_of_living_and_ended_join_without_gap_or_double()
    {
        using var directory = new TemporaryDirectory();
        var time = new FakeTimeProvider();
        await using var state = await StateStore.OpenAsync(new StateOptions { DataDirectory = Path.Combine(directory.Path, "d"), Time = time }, NullLogger.Instance);
        await state.Projects.AddAsync("alpha", default);
        var cove = new FakeCove();
        await using var ledger = new Ledger(cove, state, _ => null, NullLogger.Instance);
        var view = new ProjectCove(ledger, new ProjectQuota("alpha", new QuotaOptions(), state), "alpha", null, new AuditNote());
        var all = new List<SandboxId>();
        for (var i = 0; i < 25; i++)
        {
            all.Add((await view.CreateSandboxAsync(new SandboxRequest())).Id);
        }

        foreach (var id in all.Where((_, i) => i % 3 == 0))
        {
            cove.Sandboxes[id] = cove.Sandboxes[id] with { State = SandboxState.Ended, EndReason = SandboxEndReason.IdleTimeout };
        }

        await ledger.SweepAsync();
        var filter = new SandboxFilter { States = Enum.GetValues<SandboxState>(), Limit = 4 };
        var seen = new List<SandboxId>();
        SandboxPage page;
        do
        {
            page = await view.ListSandboxesAsync(filter);
            seen.AddRange(page.Sandboxes.Select(s => s.Id));
            filter = filter with { Cursor = page.NextCursor };
        }
        while (page.NextCursor is not null);

        Assert.Equal(all.Select(s => s.Value).Order(StringComparer.Ordinal), seen.Select(s => s.Value));
        Assert.Equal(16, (await view.ListSandboxesAsync()).Sandboxes.Count);
        Assert.Equal("invalid_request", (await Assert.ThrowsAsync<CoveException>(() => view.ListSandboxesAsync(new SandboxFilter { Cursor = "AAAA" }))).Error.Code);
    }

    private static async Task<string> AskAsync(AccessServer server, RouteEndpoint route, SandboxId sandbox, string key)
    {
        var operation = route.Metadata.GetMetadata<Operation>()!;
        var path = route.RoutePattern.RawText!.Replace("{sandbox}", sandbox.Value, StringComparison.Ordinal);
        foreach (var parameter in route.RoutePattern.Parameters.Where(p => p.Name != "sandbox"))
        {
            Assert.True(_parameters.TryGetValue(parameter.Name, out var value), $"{path}: give this test a value for '{parameter.Name}'.");
            path = path.Replace($"{{{parameter.Name}}}", value, StringComparison.Ordinal);
        }

        var query = string.Join('&', operation.Query.Where(p => p.Required).Select(p => $"{p.Name}=" + (p.Type == "integer" ? "1" : "/workspace/a")));
        string? body = null;
        if (operation.Body is { } type)
        {
            Assert.True(_bodies.TryGetValue(type, out body), $"{path}: give this test a body of type {type.Name}.");
        }

        var method = route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0];
        (string, string)[] raw = operation.RawBody is { } media ? [("Content-Type", media)] : [];
        (string, string)[] upgrade = operation.Id.Contains("erminal", StringComparison.Ordinal)
            ? [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")] : [];
        using var response = await server.SendAsync(method, $"{path}?{query}", key, body ?? (operation.RawBody is null ? null : "x"), [.. raw, .. upgrade]);
        string[] varying = ["X-Correlation-Id", "traceparent", "Date", "RateLimit-Remaining", "RateLimit-Reset"];
        var headers = string.Join(' ', response.Headers.Concat(response.Content.Headers).Where(h => !varying.Contains(h.Key)).Select(h => $"{h.Key}={string.Join(',', h.Value)}").Order(StringComparer.Ordinal));
        return $"{(int)response.StatusCode} {headers} {await response.Content.ReadAsStringAsync()}";
    }

    private static async Task<SandboxId> CreateAsync(Ledger ledger, StateStore state, string project) =>
        (await new ProjectCove(ledger, new ProjectQuota(project, new QuotaOptions(), state), project, null, new AuditNote()).CreateSandboxAsync(new SandboxRequest())).Id;

    private static async Task CallAsync(ICove cove, MethodInfo method, SandboxId sandbox)
    {
        var arguments = method.GetParameters().Select((parameter, i) => i == 0 ? sandbox : Default(parameter)).ToArray();
        var result = method.Invoke(cove, arguments);
        if (result is Task task)
        {
            await task;
            return;
        }

        // An asynchronous sequence: its first step is where it is refused.
        var element = method.ReturnType.GetGenericArguments()[0];
        await (Task)typeof(TenancyTests).GetMethod(nameof(FirstAsync), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(element).Invoke(null, [result])!;
    }

    private static async Task FirstAsync<T>(IAsyncEnumerable<T> sequence)
    {
        await foreach (var _ in sequence)
        {
            return;
        }
    }

    private static object? Default(ParameterInfo parameter) => parameter.ParameterType switch
    {
        var type when type == typeof(string) => "/workspace/a",
        var type when type == typeof(Stream) => new MemoryStream(),
        var type when type == typeof(RunRequest) => new RunRequest { Code = "1" },
        var type when type == typeof(SandboxExtension) => new SandboxExtension(),
        var type when type == typeof(TerminalRequest) => new TerminalRequest(),
        var type when type.IsValueType => Activator.CreateInstance(type),
        _ => null,
    };
}
