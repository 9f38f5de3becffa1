using System.Text;
using System.Text.Json;
using Cove.Engine.Isolation;
using Cove.Engine.Isolation.Namespaces;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Isolation;

/// <summary>Requests to a launcher that this test plays: some threads wait for their answers themselves, and what else comes meanwhile is handed on all the same.</summary>
public sealed class LauncherLinkTests : IDisposable
{
    private readonly Reactor _reactor = new();
    private readonly List<string> _events = [];
    private readonly UnixFrameLink _launcher;
    private readonly LauncherLink _link;

    public LauncherLinkTests()
    {
        var (ours, theirs) = Libc.OpenSocketPair();
        _launcher = new UnixFrameLink(_reactor, theirs);
        _link = new LauncherLink(_reactor, ours, message => _events.Add(message.GetProperty("event").GetString()!));
    }

    public void Dispose()
    {
        _link.Dispose();
        _launcher.Dispose();
        _reactor.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    public async Task The_answer_comes_whether_its_asker_still_waits_itself_or_not(int milliseconds)
    {
        var playing = Task.Run(async () =>
        {
            var id = await RequestAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System);
            await SayAsync("""{"event":"first"}""");
            await SayAsync($$"""{"id":{{id}},"ok":true,"said":"done"}""");
            await SayAsync("""{"event":"second"}""");
        }, TestContext.Current.CancellationToken);
        var answer = await Eventually.Within(AskAsync(briefly: true));
        Assert.Equal("done", answer.GetProperty("said").GetString());
        await Eventually.Within(playing);
        await Eventually.Holds(() => _events.Count == 2, "both events were handed on");
        Assert.Equal(["first", "second"], _events);
    }

    [Fact]
    public async Task Many_askers_get_each_their_own_answer()
    {
        const int Askers = 200;
        var playing = Task.Run(async () =>
        {
            for (var i = 0; i < Askers; i++)
            {
                var id = await RequestAsync();
                await SayAsync($$"""{"event":"{{i}}"}""");
                await SayAsync($$"""{"id":{{id}},"ok":true,"for":{{id}}}""");
            }
        }, TestContext.Current.CancellationToken);
        var answers = await Eventually.Within(Task.WhenAll(Enumerable.Range(0, Askers).Select(i => Task.Run(() => AskAsync(briefly: i % 2 == 0)))));
        Assert.Equal(Askers, answers.Select(a => a.GetProperty("for").GetInt64()).Distinct().Count());
        Assert.All(answers, a => Assert.Equal(a.GetProperty("id").GetInt64(), a.GetProperty("for").GetInt64()));
        await Eventually.Within(playing);
        await Eventually.Holds(() => _events.Count == Askers, "all events were handed on");
        Assert.Equal(Enumerable.Range(0, Askers).Select(i => $"{i}"), _events);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("{}")]
    [InlineData(null)]
    public async Task A_launcher_that_talks_nonsense_or_leaves_is_gone_for_all_who_ask(string? last)
    {
        var playing = Task.Run(async () =>
        {
            await RequestAsync();
            if (last is not null)
            {
                await SayAsync(last);
            }
            else
            {
                _launcher.Dispose();
            }
        }, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<CellGoneException>(() => Eventually.Within(AskAsync(briefly: true)));
        await Eventually.Within(playing);
        await Eventually.Within(_link.Closed);
        await Assert.ThrowsAsync<CellGoneException>(() => Eventually.Within(AskAsync(briefly: true)));
    }

    private Task<JsonElement> AskAsync(bool briefly) => _link.AskAsync("test", _ => { }, [], CancellationToken.None, briefly);

    private async Task<long> RequestAsync()
    {
        var frame = (await _launcher.ReceiveAsync(CancellationToken.None))!.Value;
        using var request = JsonDocument.Parse(frame.Body);
        return request.RootElement.GetProperty("id").GetInt64();
    }

    private ValueTask SayAsync(string json) => _launcher.SendAsync(Encoding.UTF8.GetBytes(json), [], CancellationToken.None);
}
