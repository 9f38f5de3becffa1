using Cove.Server.Frontends.Mcp.Http;
using Cove.Tests.Support;
using ModelContextProtocol.Server;
using Xunit;

namespace Cove.Tests.Mcp;

public sealed class McpSessionsTests : IAsyncLifetime
{
    private static readonly SessionOwner _alpha = new("alpha", "k1");
    private static readonly SessionOwner _beta = new("beta", "k2");

    private readonly FakeTimeProvider _time = new();
    private McpSessions _sessions = null!;

    public ValueTask InitializeAsync()
    {
        _sessions = new McpSessions(new McpSessionLimits { PerProject = 2, All = 3, Idle = TimeSpan.FromMinutes(30) }, _time);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _sessions.DisposeAsync();

    [Fact]
    public void One_that_nobody_used_for_half_an_hour_is_ended()
    {
        var kept = Begin(_alpha);
        _time.Advance(TimeSpan.FromMinutes(29));
        Assert.NotNull(_sessions.Find(kept, _alpha));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(_sessions.Find(kept, _alpha));
        Assert.Equal(0, _sessions.Count);
    }

    [Fact]
    public void A_project_that_begins_too_many_loses_its_oldest_and_no_others()
    {
        var (other, oldest) = (Begin(_beta), Begin(_alpha));
        _time.Advance(TimeSpan.FromSeconds(1));
        var (second, third) = (Begin(_alpha), Begin(_alpha));
        Assert.Null(_sessions.Find(oldest, _alpha));
        Assert.All(new[] { second, third }, id => Assert.NotNull(_sessions.Find(id, _alpha)));
        Assert.NotNull(_sessions.Find(other, _beta));
    }

    [Fact]
    public void Beyond_the_bound_of_all_none_is_begun()
    {
        Begin(_alpha);
        Begin(_alpha);
        Begin(_beta);
        Assert.Null(_sessions.Begin(new SessionOwner("gamma", null), Make));
        Assert.Equal(3, _sessions.Count);
    }

    [Fact]
    public async Task One_that_answers_a_message_makes_no_room_and_takes_none_once_it_is_retired()
    {
        var (first, second) = (_sessions.Begin(_alpha, Make)!, _sessions.Begin(_alpha, Make)!);
        Assert.True(first.TryEnter());
        Assert.True(second.TryEnter());
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Null(_sessions.Begin(_alpha, Make));
        Assert.Equal(2, _sessions.Count);

        // What it answers is done: a notification needs no answer.
        Assert.False(await first.PostAsync(new ModelContextProtocol.Protocol.JsonRpcNotification { Method = "notifications/initialized" }, Stream.Null, CancellationToken.None));
        Assert.NotNull(_sessions.Begin(_alpha, Make));
        Assert.False(first.TryEnter());
        Assert.Null(_sessions.Find(first.Id, _alpha));
        Assert.NotNull(_sessions.Find(second.Id, _alpha));
    }

    [Fact]
    public async Task It_is_its_owners_alone()
    {
        var id = Begin(_alpha);
        Assert.Equal(64, id.Length);
        Assert.Null(_sessions.Find(id, _beta));
        Assert.Null(_sessions.Find(id, _alpha with { Key = "k9" }));
        Assert.False(await _sessions.EndAsync(id, _beta));
        Assert.True(await _sessions.EndAsync(id, _alpha));
        Assert.False(await _sessions.EndAsync(id, _alpha));
    }

    private string Begin(SessionOwner owner) => _sessions.Begin(owner, Make)!.Id;

    private static (StreamableHttpServerTransport, McpServer) Make(string id)
    {
        var transport = new StreamableHttpServerTransport { SessionId = id };
        return (transport, McpServer.Create(transport, new McpServerOptions()));
    }
}
