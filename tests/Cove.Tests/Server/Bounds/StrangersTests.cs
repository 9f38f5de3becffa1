using System.Net;
using Cove.Server.Bounds;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Cove.Tests.Server.Bounds;

/// <summary>Which of the connections that show no key goes when they are too many.</summary>
public sealed class StrangersTests
{
    private readonly Strangers _strangers = new(16);

    [Fact]
    public void One_address_that_opens_without_end_cuts_off_itself()
    {
        var honest = Of("192.0.2.1");
        Assert.Null(_strangers.Enter(honest));
        var many = Enumerable.Range(0, 15).Select(_ => Of("198.51.100.7")).ToArray();
        Assert.All(many, held => Assert.Null(_strangers.Enter(held)));
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal("198.51.100.7", _strangers.Enter(Of("198.51.100.7"))!.Network.ToString());
        }

        Assert.NotNull(honest.Stranger);
        Assert.All(many, held => Assert.Null(held.Stranger));
    }

    [Fact]
    public void Of_many_addresses_the_oldest_goes()
    {
        var all = Enumerable.Range(1, 40).Select(i => Of($"192.0.2.{i}")).ToArray();
        Assert.All(all[..16], held => Assert.Null(_strangers.Enter(held)));
        for (var i = 16; i < all.Length; i++)
        {
            Assert.Same(all[i - 16], _strangers.Enter(all[i]));
        }
    }

    [Fact]
    public void Who_left_makes_room()
    {
        var all = Enumerable.Range(1, 17).Select(_ => Of("2001:db8::1")).ToArray();
        Assert.All(all[..16], held => Assert.Null(_strangers.Enter(held)));
        _strangers.Leave(all[3]);
        _strangers.Leave(all[3]);
        Assert.Null(_strangers.Enter(all[16]));
        Assert.Same(all[0], _strangers.Enter(Of("2001:db8::2"))); // of one network
    }

    private static HeldConnection Of(string address) => new(null!, new DefaultConnectionContext { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 1) });
}
