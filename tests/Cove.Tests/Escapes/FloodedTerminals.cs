using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>What a guest writes to a terminal that nobody reads is held in the guest. What the process holds is measured, so nothing else may run beside this.</summary>
public abstract class FloodedTerminals(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    [Fact]
    public async Task A_guest_that_floods_a_terminal_nobody_reads_waits_and_its_sandbox_goes_on()
    {
        await using var sandbox = await SandboxAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var terminal = await sandbox.Cove.OpenTerminalAsync(sandbox.Id, new TerminalRequest { Argv = ["/usr/bin/yes", new string('y', 4000)] });
        await AssertAnswersAsync(sandbox);
        Assert.True(await Hang.WatchAsync(terminal.ReadAsync(new byte[100]).AsTask()) > 0);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64 << 20);
        await Hang.WatchAsync(terminal.DisposeAsync().AsTask());
        Assert.Equal(137, await terminal.ExitCode);
        await AssertAnswersAsync(sandbox);
    }
}
