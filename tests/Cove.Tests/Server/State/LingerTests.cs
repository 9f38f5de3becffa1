using Cove.Server.Access.Tenancy;
using Cove.Server.State;
using Cove.Engine;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.State;

/// <summary>Who takes things together is neither kept from what is urgent nor woken for each of the others.</summary>
public sealed class LingerTests
{
    [Fact]
    public async Task What_is_urgent_already_is_not_waited_for()
    {
        Assert.True(new Linger(Timeout.InfiniteTimeSpan).WaitAsync(static () => true).IsCompletedSuccessfully);
        await new Linger(TimeSpan.Zero).WaitAsync(static () => false);
    }

    [Fact]
    public async Task What_becomes_urgent_meanwhile_or_at_that_very_moment_ends_the_waiting()
    {
        var linger = new Linger(Timeout.InfiniteTimeSpan);
        var waiting = linger.WaitAsync(static () => false);
        Assert.False(waiting.IsCompleted);
        linger.Hurry();
        await Eventually.Within(waiting);
        await Eventually.Within(linger.WaitAsync(() =>
        {
            linger.Hurry(); // after it was asked, before it waits
            return false;
        }));
    }

    [Fact]
    public async Task The_end_of_a_sandbox_is_heard_at_once_with_all_that_was_told_before()
    {
        var ends = new ToldEnds(Timeout.InfiniteTimeSpan);
        var cove = new FakeCove();
        var (first, last) = (await cove.CreateSandboxAsync(new SandboxRequest()), await cove.CreateSandboxAsync(new SandboxRequest()));
        var waiting = ends.WaitAsync(TestContext.Current.CancellationToken);
        ends.Tell(new RunEnd(new RunInfo { Id = RunId.New(), Sandbox = first.Id, StartedAt = default, LastSequence = 0 }, null));
        Assert.False(waiting.IsCompleted);
        ends.Tell(new SandboxEnd(first, null));
        await Eventually.Within(waiting);
        Assert.True(ends.TryTake(out var told) && told.Run is not null);
        Assert.True(ends.TryTake(out told) && told.Sandbox == first);
        Assert.False(ends.TryTake(out _));

        // Urgent once, not for ever.
        ends.Tell(new RunEnd(new RunInfo { Id = RunId.New(), Sandbox = last.Id, StartedAt = default, LastSequence = 0 }, null));
        waiting = ends.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        ends.Tell(new SandboxEnd(last, null));
        await Eventually.Within(waiting);
    }
}
