using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class TerminalConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task What_is_typed_is_echoed_run_and_answered()
    {
        await using var sandbox = await SandboxAsync();
        await using var talk = await OpenAsync(sandbox);
        await talk.TypeAsync("echo $((40 + 2))\n");
        await talk.SeesAsync("echo $((40 + 2))\r\n");
        await talk.SeesAsync("42\r\n");
        await talk.TypeAsync("tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all$((1))three; pwd; echo $TERM\n");
        await talk.SeesAsync("/dev/pts/0\r\n");
        await talk.SeesAsync("all1three\r\n");
        await talk.SeesAsync("/workspace\r\n");
        await talk.SeesAsync("xterm-256color\r\n");
    }

    [Fact]
    public async Task Its_size_is_what_was_asked_and_changes_are_seen()
    {
        await using var sandbox = await SandboxAsync();
        await using var talk = await OpenAsync(sandbox, TerminalTalk.Plain with { Columns = 132, Rows = 43 });
        await talk.TypeAsync("trap 'echo chan''ged' WINCH; stty size; echo pre''pared\n");
        await talk.SeesAsync("43 132\r\n");
        await talk.SeesAsync("prepared\r\n"); // only now is the shell in the foreground again, whom the change is told
        await talk.Terminal.ResizeAsync(200, 50);
        await talk.TypeAsync("\n");
        await talk.SeesAsync("changed\r\n");
        await talk.TypeAsync("stty size\n");
        await talk.SeesAsync("50 200\r\n");
        Assert.Equal("invalid_request", (await RefusalAsync(() => talk.Terminal.ResizeAsync(0, 50).AsTask())).Code);
    }

    [Fact]
    public async Task Control_c_interrupts_and_control_z_stops()
    {
        await using var sandbox = await SandboxAsync();
        await using var talk = await OpenAsync(sandbox);
        await talk.TypeAsync("sh -c 'echo up''1; exec sleep 1000'; echo code''=$?\n");
        await talk.SeesAsync("up1\r\n");
        await talk.TypeAsync("\u0003");
        await talk.SeesAsync("^C");
        await talk.TypeAsync("echo after''wards\n");
        await talk.SeesAsync("afterwards\r\n");
        await talk.TypeAsync("sh -c 'echo up''2; exec sleep 1000'\n");
        await talk.SeesAsync("up2\r\n");
        await talk.TypeAsync("\u001a");
        await talk.SeesAsync("Stopped");
        await talk.TypeAsync("jobs; kill %1; wait; echo done''now\n");
        await talk.SeesAsync("donenow\r\n");
    }

    [Fact]
    public async Task The_exit_code_follows_all_that_was_written()
    {
        await using var sandbox = await SandboxAsync();
        await using var talk = await OpenAsync(sandbox, new TerminalRequest { Argv = ["/bin/sh", "-c", "seq 1 20000; echo end; exit 7"] });
        Assert.Equal(7, await talk.EndAsync());
        Assert.Equal(20_001, talk.Screen.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.EndsWith("20000\r\nend\r\n", talk.Screen, StringComparison.Ordinal);
        Assert.Equal("terminal_ended", (await RefusalAsync(() => talk.Terminal.WriteAsync("x"u8.ToArray()).AsTask())).Code);

        await using var killed = await OpenAsync(sandbox, new TerminalRequest { Argv = ["/bin/sh", "-c", "kill -TERM $$"] });
        Assert.Equal(143, await killed.EndAsync());
        await using var missing = await OpenAsync(sandbox, new TerminalRequest { Argv = ["no-such-program"] });
        Assert.Equal(127, await missing.EndAsync());
        Assert.Contains("command not found", missing.Screen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_default_is_a_login_shell()
    {
        await using var sandbox = await SandboxAsync();
        await using var talk = await OpenAsync(sandbox, new TerminalRequest());
        await talk.TypeAsync("shopt login_shell; exit 3\n");
        await talk.SeesAsync("login_shell    \ton");
        Assert.Equal(3, await talk.EndAsync());
    }

    [Fact]
    public async Task Disposing_it_kills_what_runs_in_it_deaf_children_included()
    {
        await using var sandbox = await SandboxAsync();
        var talk = await OpenAsync(sandbox);
        await talk.TypeAsync("trap '' HUP TERM INT; sleep 3000 & echo $! $$ | tr ' ' '\\n' > /tmp/pids; echo run''ning; sleep 3001\n");
        await talk.SeesAsync("running\r\n");
        Assert.Equal("2 started, 2 alive\n", await CountAsync(sandbox));
        await talk.DisposeAsync();
        Assert.Equal(137, await talk.Terminal.ExitCode);
        Assert.Equal("2 started, 0 alive\n", await CountAsync(sandbox));
        Assert.Equal(0, await talk.Terminal.ReadAsync(new byte[10]));
    }

    [Fact]
    public async Task Two_at_once_do_not_hear_each_other_and_runs_go_on_beside_them()
    {
        await using var sandbox = await SandboxAsync();
        await using var one = await OpenAsync(sandbox);
        await using var two = await OpenAsync(sandbox);
        await one.TypeAsync("tty\n");
        await one.SeesAsync("/dev/pts/0\r\n");
        await two.TypeAsync("tty\n");
        await two.SeesAsync("/dev/pts/1\r\n");
        Assert.Equal("2", (await sandbox.PythonAsync("1+1")).Value);
        Assert.DoesNotContain("pts/1", one.Screen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task There_are_sixteen_and_a_closed_one_makes_room()
    {
        await using var sandbox = await SandboxAsync();
        var open = new List<TerminalTalk>();
        for (var i = 0; i < 16; i++)
        {
            open.Add(await OpenAsync(sandbox, new TerminalRequest { Argv = ["/bin/cat"] }));
        }

        Assert.Equal("too_many_terminals", (await RefusalAsync(() => sandbox.Cove.OpenTerminalAsync(sandbox.Id, TerminalTalk.Plain))).Code);
        await open[3].DisposeAsync();
        await using var again = await OpenAsync(sandbox, new TerminalRequest { Argv = ["/bin/echo", "room"] });
        Assert.Equal(0, await again.EndAsync());
        foreach (var talk in open)
        {
            await talk.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_end_of_its_sandbox_ends_it()
    {
        var sandbox = await SandboxAsync();
        var talk = await OpenAsync(sandbox);
        var reading = talk.EndAsync();
        await sandbox.DisposeAsync();
        await Hang.WatchAsync(reading);
        await talk.DisposeAsync();
        Assert.Equal("sandbox_ended", (await RefusalAsync(() => sandbox.Cove.OpenTerminalAsync(sandbox.Id, TerminalTalk.Plain))).Code);
    }

    [Fact]
    public async Task An_open_one_keeps_its_sandbox_from_being_idle()
    {
        await using var sandbox = await SandboxAsync(new SandboxRequest { Template = "base", IdleTimeout = TimeSpan.FromSeconds(10) });
        await using (var talk = await OpenAsync(sandbox))
        {
            await talk.TypeAsync("sleep 15; echo still''here\n");
            await talk.SeesAsync("stillhere\r\n");
        }

        await Hang.UntilAsync(async () => (await sandbox.Cove.GetSandboxAsync(sandbox.Id)).EndReason == SandboxEndReason.IdleTimeout, "it ends when idle");
    }

    [Theory]
    [InlineData(0, 24, "columns")]
    [InlineData(80, 1001, "rows")]
    public async Task A_size_out_of_range_is_refused(int columns, int rows, string field)
    {
        await using var sandbox = await SandboxAsync();
        var refusal = await RefusalAsync(() => sandbox.Cove.OpenTerminalAsync(sandbox.Id, new TerminalRequest { Columns = columns, Rows = rows }));
        Assert.Equal("invalid_request", refusal.Code);
        Assert.Contains($"'{field}'", refusal.Message, StringComparison.Ordinal);
    }

    protected static Task<TerminalTalk> OpenAsync(TestSandbox sandbox, TerminalRequest? request = null) => TerminalTalk.OpenAsync(sandbox.Cove, sandbox.Id, request);
}
