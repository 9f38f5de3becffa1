using System.Text;
using System.Text.Json;
using Cove.Engine.Isolation;
using Cove.Engine.Isolation.Namespaces;
using Xunit;

namespace Cove.Tests.Isolation;

/// <summary>Answers that the asking thread waits for itself, beside the usual reader.</summary>
public sealed class LauncherLinkTests : IDisposable
{
    private readonly Reactor _reactor = new();
    private readonly List<string> _events = [];
    private readonly UnixFrameLink _peer;
    private readonly LauncherLink _link;

    public LauncherLinkTests()
    {
        var (ours, theirs) = Libc.OpenSocketPair();
        _peer = new UnixFrameLink(_reactor, theirs);
        _link = new LauncherLink(_reactor, ours, message =>
        {
            lock (_events)
            {
                _events.Add(message.GetProperty("event").GetString()!);
            }
        });
    }

    public void Dispose()
    {
        _link.Dispose();
        _peer.Dispose();
        _reactor.Dispose();
    }

    [Fact]
    public async Task Whoever_reads_it_every_answer_reaches_its_asker_and_every_event_comes_once_in_order()
    {
        const int Rounds = 300;
        var serving = Task.Run(async () =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                // Both are asked before either is answered, and the second is answered first.
                var (first, second) = (await AskedAsync(), await AskedAsync());
                await SayAsync($$"""{"event":"{{round}}a"}""");
                await SayAsync($$"""{"id":{{second}},"ok":true,"number":{{second}}}""");
                await SayAsync($$"""{"event":"{{round}}b"}""");
                await SayAsync($$"""{"id":{{first}},"ok":true,"number":{{first}}}""");
            }
        }, TestContext.Current.CancellationToken);
        for (var round = 0; round < Rounds; round++)
        {
            var other = AskAsync(onThisThread: false);
            var own = await AskAsync(onThisThread: true);
            Assert.Equal(own.GetProperty("id").GetInt64(), own.GetProperty("number").GetInt64());
            Assert.Equal(own.GetProperty("id").GetInt64() - 1, (await other).GetProperty("number").GetInt64());
        }

        await serving;
        Assert.Equal(Enumerable.Range(0, Rounds).SelectMany(round => new[] { $"{round}a", $"{round}b" }), _events);
    }

    [Theory]
    [InlineData("{\"id\":")]
    [InlineData("{\"id\":1.5,\"ok\":true}")]
    [InlineData("{\"id\":1}")]
    [InlineData(null)]
    public async Task A_launcher_that_ends_or_talks_nonsense_is_gone_for_everybody(string? nonsense)
    {
        var serving = Task.Run(async () =>
        {
            await AskedAsync();
            if (nonsense is null)
            {
                _peer.Dispose();
                return;
            }

            await SayAsync(nonsense);
            await SayAsync("""{"event":"too late"}""");
        }, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<CellGoneException>(() => AskAsync(onThisThread: true));
        await serving;
        await _link.Closed;
        await Assert.ThrowsAsync<CellGoneException>(() => AskAsync(onThisThread: true));
        Assert.Empty(_events);
    }

    private Task<JsonElement> AskAsync(bool onThisThread) => _link.AskAsync("destroy", _ => { }, [], CancellationToken.None, onThisThread);

    private async Task<long> AskedAsync() => JsonDocument.Parse((await _peer.ReceiveAsync(CancellationToken.None))!.Value.Body).RootElement.GetProperty("id").GetInt64();

    private async Task SayAsync(string message)
    {
        try
        {
            await _peer.SendAsync(Encoding.UTF8.GetBytes(message), channels: null, CancellationToken.None);
        }
        catch (CellGoneException)
        {
            // Nobody listens any more, which is what some of these are about.
        }
    }
}
