using Cove.Server.Bounds;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Bounds;

/// <summary>Who reads too slowly, by what the kernel says of a connection.</summary>
public sealed class ReadingPaceTests
{
    private static readonly ReadingPace Pace = new(1000, TimeSpan.FromSeconds(10));
    private readonly FakeTimeProvider _time = new();
    private ReadingWatch _watch;
    private long _taken;

    [Fact]
    public void Who_takes_nothing_of_what_waits_is_too_slow_after_a_window()
    {
        Assert.Equal([.. Enumerable.Repeat(false, 10), true], Looks(11, taking: 0));
    }

    [Fact]
    public void Who_reads_at_the_pace_or_faster_never_is() => Assert.DoesNotContain(true, Looks(200, taking: 1000));

    [Fact]
    public void Who_takes_it_in_lumps_is_not() => Assert.DoesNotContain(true, Enumerable.Range(0, 100).Select(i => Look(taking: i % 9 == 0 ? 10_000 : 0)));

    [Fact]
    public void A_fast_start_is_no_credit_for_a_stop()
    {
        Assert.DoesNotContain(true, Looks(100, taking: 1 << 30));
        Assert.Contains(true, Looks(21, taking: 0));
    }

    [Fact]
    public void A_byte_now_and_then_is_no_reading() => Assert.Contains(true, Looks(12, taking: 1));

    /// <summary>A program that prints little, and a reader so far away that some of it is always on the way.</summary>
    [Fact]
    public void Who_takes_the_little_that_there_is_never_is() => Assert.DoesNotContain(true, Enumerable.Range(0, 200).Select(_ => Look(taking: 100, waiting: 500)));

    [Fact]
    public void Who_takes_nothing_of_the_little_that_there_is_is() => Assert.Contains(true, Enumerable.Range(0, 12).Select(_ => Look(taking: 0, waiting: 500)));

    [Fact]
    public void Where_nothing_waits_nothing_is_asked()
    {
        Assert.DoesNotContain(true, Looks(10, taking: 0));
        Assert.False(Look(taking: 0, waits: false));
        Assert.DoesNotContain(true, Looks(10, taking: 0));
        Assert.DoesNotContain(true, Enumerable.Range(0, 100).Select(_ => Look(taking: 0, waits: false)));
    }

    [Fact]
    public void Without_a_pace_nobody_is() => Assert.DoesNotContain(true, Enumerable.Range(0, 10_000).Select(_ => Look(taking: 0, pace: false)));

    private bool[] Looks(int count, long taking) => [.. Enumerable.Range(0, count).Select(_ => Look(taking))];

    /// <summary>A second passes, and then it is looked.</summary>
    private bool Look(long taking, bool waits = true, bool pace = true, long waiting = 1 << 30)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        _taken += taking;
        return _watch.IsTooSlow(pace ? Pace : null, new SentBytes(_taken, waits ? waiting : 0), _time.GetTimestamp(), _time);
    }
}
