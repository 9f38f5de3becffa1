using Xunit;

namespace Cove.Tests.Contracts;

/// <summary>Names and nonces are drawn from blocks of random bytes: none of them may come twice, whoever draws.</summary>
public sealed class EntropyTests
{
    [Fact]
    public async Task Nothing_is_given_out_twice_by_any_thread()
    {
        const int each = 5000;
        var drawn = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Enumerable.Range(0, each).Select(_ => Entropy.Hex(16)).ToArray())));
        Assert.Equal(4 * each, drawn.SelectMany(d => d).Distinct().Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(100_000)]
    public void All_that_is_asked_for_is_filled_across_the_ends_of_blocks(int length)
    {
        var seen = new byte[length];
        for (var i = 0; i < 64; i++)
        {
            var drawn = new byte[length];
            Entropy.Fill(drawn);
            for (var at = 0; at < length; at++)
            {
                seen[at] |= drawn[at];
            }
        }

        Assert.DoesNotContain((byte)0, seen); // a byte that was nothing 64 times was not drawn
    }

    [Fact]
    public void Every_letter_of_an_id_is_about_as_likely()
    {
        var letters = string.Concat(Enumerable.Range(0, 10_000).Select(_ => RunId.New().Value[1..]));
        var counts = letters.GroupBy(c => c).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal(32, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 5_180, 6_696)); // 5,938 each; ten standard deviations are 758
        Assert.True(SandboxId.New().Value is ['s', .. { Length: 19 }]);
    }
}
