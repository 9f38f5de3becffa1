using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Client;

/// <summary>Terminals through the client, the server's real route and a Unix socket.</summary>
public sealed class ClientTerminalTests : IAsyncLifetime
{
    private SocketServer _server = null!;
    private SandboxId _sandbox;

    public async ValueTask InitializeAsync()
    {
        _server = await SocketServer.StartAsync();
        _sandbox = (await _server.Client.CreateSandboxAsync(new SandboxRequest())).Id;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task What_goes_in_at_one_end_comes_out_at_the_other()
    {
        await using var talk = await TerminalTalk.OpenAsync(_server.Client, _sandbox, new TerminalRequest { Columns = 90, WorkingDirectory = "/tmp" });
        var terminal = Take();
        Assert.Equal((90, "/tmp"), (terminal.Size.Columns, terminal.Request.WorkingDirectory));
        await talk.TypeAsync("ls\n");
        Assert.Equal("ls\n"u8.ToArray(), await terminal.TypedAsync(3));
        await terminal.ShowAsync("files"u8.ToArray());
        await talk.SeesAsync("files");
        await talk.Terminal.ResizeAsync(50, 60);
        await Hang.UntilAsync(() => terminal.Size == (50, 60), "the size changes");
        Assert.Equal("invalid_request", (await Assert.ThrowsAsync<CoveException>(() => talk.Terminal.ResizeAsync(50, 0).AsTask())).Error.Code);
        await terminal.ShowAsync("bye"u8.ToArray());
        terminal.End(4);
        Assert.Equal(4, await talk.EndAsync());
        Assert.Equal("filesbye", talk.Screen);
        Assert.Equal("terminal_ended", (await Assert.ThrowsAsync<CoveException>(() => talk.Terminal.WriteAsync("x"u8.ToArray()).AsTask())).Error.Code);
    }

    [Fact]
    public async Task Errors_arrive_as_they_were_thrown()
    {
        var full = await Assert.ThrowsAsync<CoveException>(() => _server.Client.OpenTerminalAsync(_sandbox, new TerminalRequest { Columns = 1000 }));
        Assert.Equal(FakeCove.Error("too_many_terminals", ErrorCategory.Limit).Error, full.Error);
        var unknown = await Assert.ThrowsAsync<CoveException>(() => _server.Client.OpenTerminalAsync(new SandboxId("sunknown"), new TerminalRequest()));
        Assert.Equal("sandbox_not_found", unknown.Error.Code);
    }

    [Fact]
    public async Task Disposing_it_hangs_up_also_when_nobody_reads_or_listens()
    {
        var terminal = await _server.Client.OpenTerminalAsync(_sandbox, new TerminalRequest());
        var other = Take();
        var flood = FloodAsync(other);
        var typing = terminal.WriteAsync(new byte[8 << 20]).AsTask(); // more than is taken while nobody reads it
        await Hang.WatchAsync(terminal.DisposeAsync().AsTask());
        await Hang.WatchAsync(other.Disposed.Task);
        await Hang.WatchAsync(terminal.ExitCode);
        Assert.Equal(0, await terminal.ReadAsync(new byte[1]));
        await Assert.ThrowsAsync<CoveException>(() => Hang.WatchAsync(typing));
        await Hang.WatchAsync(flood);
    }

    [Fact]
    public async Task A_cancelled_read_or_write_loses_nothing()
    {
        await using var talk = await TerminalTalk.OpenAsync(_server.Client, _sandbox, new TerminalRequest());
        var terminal = Take();
        using var soon = new CancellationTokenSource();
        var reading = talk.Terminal.ReadAsync(new byte[10], soon.Token).AsTask();
        await soon.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await terminal.ShowAsync("here"u8.ToArray());
        await talk.SeesAsync("here");
    }

    private FakeTerminal Take()
    {
        Assert.True(_server.Cove.Terminals.TryDequeue(out var terminal));
        return terminal;
    }

    private static async Task FloodAsync(FakeTerminal terminal)
    {
        for (var i = 0; i < 1000 && !terminal.Disposed.Task.IsCompleted; i++)
        {
            await Task.WhenAny(terminal.ShowAsync(new byte[32 << 10]).AsTask(), terminal.Disposed.Task);
        }
    }
}
