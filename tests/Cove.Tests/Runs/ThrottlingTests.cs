using Cove.Engine;
using Cove.Engine.Isolation;
using Cove.Engine.Runs;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>What the processor limit did to a run, and spans of time in words.</summary>
public sealed class ThrottlingTests
{
    private static CellUsage Count(long milliseconds, long periods) =>
        default(CellUsage) with { ThrottledNanoseconds = milliseconds * 1_000_000, ThrottledPeriods = periods };

    [Theory]
    [InlineData(1500, 20, true)]
    [InlineData(3500, 20, true)] // two processors
    [InlineData(1000, 10, true)]
    [InlineData(999, 20, false)]
    [InlineData(60_000, 9, false)] // a moment on each of many processors
    [InlineData(0, 0, false)]
    public void Half_of_two_seconds_is_substantial(long milliseconds, long periods, bool held)
    {
        var before = Count(70_000, 700);
        var after = Count(70_000 + milliseconds, 700 + periods);
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Throttling.Time(before, after));
        Assert.Equal(held, Throttling.HeldBack(before, after, TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public void Where_nothing_counts_nothing_is_said()
    {
        Assert.Null(Throttling.Time(default, default));
        Assert.False(Throttling.HeldBack(default, default, TimeSpan.Zero));
    }

    [Theory]
    [InlineData(0, "0 ms")]
    [InlineData(400, "400 ms")]
    [InlineData(1000, "1 s")]
    [InlineData(1500, "1.5 s")]
    [InlineData(30_000, "30 s")]
    [InlineData(60_000, "1 min")]
    [InlineData(330_000, "5 min 30 s")]
    [InlineData(86_400_000, "24 h")]
    public void Spans_are_said_as_people_say_them(long milliseconds, string said) => Assert.Equal(said, Durations.Say(TimeSpan.FromMilliseconds(milliseconds)));
}
