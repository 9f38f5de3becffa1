using Cove.Benchmarks;
using Xunit;

namespace Cove.Tests.Bench;

public sealed class SeriesTests
{
    [Fact]
    public void Percentiles_are_values_that_were_measured()
    {
        var series = new Series("g", "s");
        foreach (var value in Enumerable.Range(1, 100).Reverse())
        {
            series.Add(TimeSpan.FromMilliseconds(value));
        }

        Assert.Equal((50, 95, 99, 100), (series.Percentile(0.5), series.Percentile(0.95), series.Percentile(0.99), series.Percentile(1)));
    }

    [Fact]
    public void Few_values_have_percentiles_too()
    {
        var series = new Series("g", "s");
        Assert.True(double.IsNaN(series.Percentile(0.5)));
        series.Add(TimeSpan.FromMilliseconds(7));
        Assert.Equal((7, 7), (series.Percentile(0.5), series.Percentile(0.99)));
    }

    [Fact]
    public void A_peer_is_compared_with_Coves_median_for_the_same_work()
    {
        var (pool, fresh, peer) = (new Series("base", "create from the pool"), new Series("base", "create without the pool"), new Series("base", "bwrap python3 -c pass"));
        pool.Add(TimeSpan.FromMilliseconds(0.5));
        fresh.Add(TimeSpan.FromMilliseconds(10));
        peer.Add(TimeSpan.FromMilliseconds(25));
        var row = Measures.From([pool, fresh, peer]).Single(m => m.Name == peer.Name);
        Assert.Equal((50.0, 2.5), (row.RatioToPool, row.Ratio));
    }
}
