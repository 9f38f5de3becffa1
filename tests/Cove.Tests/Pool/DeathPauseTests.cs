using Cove.Engine.Pool;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Pool;

public sealed class DeathPauseTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly DeathPause _pause;

    public DeathPauseTests() => _pause = new DeathPause(_time, () => _pause!.End());

    public ValueTask DisposeAsync() => _pause.DisposeAsync();

    [Fact]
    public void Deaths_soon_one_after_another_make_ever_longer_pauses_up_to_ten_seconds()
    {
        foreach (var milliseconds in new[] { 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000 })
        {
            AssertADeathIsFollowedBy(milliseconds);
        }
    }

    [Fact]
    public void A_death_long_after_the_last_begins_anew()
    {
        AssertADeathIsFollowedBy(100);
        AssertADeathIsFollowedBy(200);
        _time.Advance(TimeSpan.FromSeconds(59));
        AssertADeathIsFollowedBy(400);
        _time.Advance(TimeSpan.FromSeconds(61));
        AssertADeathIsFollowedBy(100);
    }

    [Fact]
    public void Deaths_in_a_pause_are_part_of_what_it_is_for()
    {
        _pause.NoteDeath();
        _pause.NoteDeath();
        _time.Advance(TimeSpan.FromMilliseconds(50));
        _pause.NoteDeath();
        _time.Advance(TimeSpan.FromMilliseconds(50));
        AssertADeathIsFollowedBy(200);
    }

    private void AssertADeathIsFollowedBy(int milliseconds)
    {
        Assert.False(_pause.IsOn);
        _pause.NoteDeath();
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));
        Assert.True(_pause.IsOn);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(_pause.IsOn);
    }
}
