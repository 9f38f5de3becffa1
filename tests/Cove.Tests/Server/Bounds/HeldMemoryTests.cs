using Cove.Server.Bounds;
using Cove.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Cove.Tests.Server.Bounds;

public sealed class HeldMemoryTests
{
    private readonly HeldMemory _memory = new(1000);

    [Fact]
    public void One_project_gets_half_and_all_together_no_more_than_there_is()
    {
        Assert.Null(_memory.Of("one").Take(500));
        Assert.Equal(("quota_exceeded", true), Told(_memory.Of("one").Take(1)));
        Assert.Null(_memory.Of("two").Take(400));
        Assert.Equal(("server_busy", true), Told(_memory.Of("three").Take(101)));
        Assert.Null(_memory.Of("three").Take(100));
        Assert.Equal(1000, _memory.Held);
        _memory.Of("one").Return(500);
        Assert.Null(_memory.Of("one").Take(500));
    }

    [Fact]
    public void What_was_taken_is_given_back_once()
    {
        var held = new HeldBytes(_memory.Of("one"));
        held.Grow(200);
        held.Grow(100);
        Assert.False(held.TryGrow(201));
        Assert.Equal(300, _memory.Held);
        held.Dispose();
        held.Dispose();
        Assert.Equal(0, _memory.Held);
    }

    [Fact]
    public void What_can_never_be_held_is_said_not_to_be_worth_repeating()
    {
        using var held = new HeldBytes(_memory.Of("one"));
        held.Grow(400);
        var refused = Assert.Throws<CoveException>(() => held.Grow(101)).Error;
        Assert.Equal(("too_large_to_hold", false, 413), (refused.Code, refused.Retryable, Cove.Server.Hosting.Problems.StatusOf(refused)));
        using var other = new HeldBytes(_memory.Of("one"));
        Assert.Equal(("quota_exceeded", true), Told(Assert.Throws<CoveException>(() => other.Grow(101)).Error));
    }

    [Fact]
    public async Task However_many_take_at_once_no_more_is_held_than_may_be()
    {
        var shares = Enumerable.Range(0, 8).Select(i => _memory.Of($"p{i % 4}")).ToArray();
        await Parallel.ForEachAsync(Enumerable.Range(0, 20_000), async (i, _) =>
        {
            using var held = new HeldBytes(shares[i % 8]);
            if (held.TryGrow(i % 300))
            {
                Assert.InRange(_memory.Held, 0, 1000 + (8 * 300)); // others' tries that are just being taken back
                await Task.Yield();
            }
        });
        Assert.Equal(0, _memory.Held);
    }

    [Fact]
    public async Task A_body_counts_as_it_arrives_and_has_five_minutes()
    {
        var time = new FakeTimeProvider();
        var memory = new HeldMemory(1 << 20);
        await using var body = new BoundedBody(new MemoryStream(new byte[200_000]), memory.Of("one"), time);
        var buffer = new byte[BoundedBody.FreeBytes];
        await body.ReadExactlyAsync(buffer);
        Assert.Equal(0, memory.Held);
        await body.ReadExactlyAsync(buffer.AsMemory(0, 1000));
        Assert.Equal(3000, memory.Held);
        time.Advance(BoundedBody.Patience + TimeSpan.FromSeconds(1));
        Assert.Equal(408, (await Assert.ThrowsAsync<BadHttpRequestException>(async () => await body.ReadExactlyAsync(new byte[1]))).StatusCode);
        await body.DisposeAsync();
        Assert.Equal(0, memory.Held);
    }

    private static (string Code, bool Retryable) Told(RunError? error) => (error!.Code, error.Retryable);
}
