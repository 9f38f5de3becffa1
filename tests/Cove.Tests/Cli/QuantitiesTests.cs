using Cove.Cli;
using Xunit;

namespace Cove.Tests.Cli;

public sealed class QuantitiesTests
{
    [Theory]
    [InlineData("256MB", 256L << 20)]
    [InlineData("256MiB", 256L << 20)]
    [InlineData("256m", 256L << 20)]
    [InlineData("1.5G", 3L << 29)]
    [InlineData("1", 1)]
    [InlineData("10 KB", 10240)]
    [InlineData("1TB", 1L << 40)]
    public void Sizes(string text, long bytes)
    {
        Assert.True(Quantities.TryBytes(text, out var value, out _));
        Assert.Equal(bytes, value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MB")]
    [InlineData("-1MB")]
    [InlineData("0")]
    [InlineData("1e9")]
    [InlineData("1,5GB")]
    [InlineData("12 parsecs")]
    [InlineData("999999999999999TB")]
    [InlineData("1.2.3MB")]
    public void What_is_no_size(string text)
    {
        Assert.False(Quantities.TryBytes(text, out _, out var fix));
        Assert.Contains("256MB", fix, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("1.5s", 1500)]
    [InlineData("5m", 300_000)]
    [InlineData("1h", 3_600_000)]
    public void Durations(string text, double milliseconds)
    {
        Assert.True(Quantities.TryDuration(text, out var value, out _));
        Assert.Equal(milliseconds, value.TotalMilliseconds);
    }

    [Theory]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("0s")]
    [InlineData("1d")]
    [InlineData("9999999h")]
    public void What_is_no_duration(string text)
    {
        Assert.False(Quantities.TryDuration(text, out _, out var fix));
        Assert.Contains("30s", fix, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", 1000)]
    [InlineData("0.5", 500)]
    [InlineData("0.01", 10)]
    public void Cpus(string text, int millis)
    {
        Assert.True(Quantities.TryCpus(text, out var value, out _));
        Assert.Equal(millis, value);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("two")]
    [InlineData("5000")]
    public void What_is_no_number_of_CPUs(string text) => Assert.False(Quantities.TryCpus(text, out _, out _));
}
