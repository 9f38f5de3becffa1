using System.Net;
using System.Net.Sockets;

namespace Cove.Agent.HttpTools.Sending;

/// <summary>Which addresses a tool may reach: public ones, and others only where its declaration names the host and says so.</summary>
internal static class AddressRules
{
    /// <summary>Everything in IPv4 that is nobody's public address (RFC 6890 and its registry).</summary>
    private static readonly IPNetwork[] _special4 =
    [
        Net("0.0.0.0/8"), Net("10.0.0.0/8"), Net("100.64.0.0/10"), Net("127.0.0.0/8"), Net("169.254.0.0/16"), Net("172.16.0.0/12"), Net("192.0.0.0/24"), Net("192.0.2.0/24"),
        Net("192.88.99.0/24"), Net("192.168.0.0/16"), Net("198.18.0.0/15"), Net("198.51.100.0/24"), Net("203.0.113.0/24"), Net("224.0.0.0/4"), Net("240.0.0.0/4"),
    ];

    /// <summary>In IPv6 only 2000::/3 is public, without these: protocol assignments (Teredo among them), documentation, 6to4.</summary>
    private static readonly IPNetwork[] _special6 = [Net("2001::/23"), Net("2001:db8::/32"), Net("2002::/16"), Net("3fff::/20")];

    private static readonly IPNetwork _global6 = Net("2000::/3");

    /// <summary>What an organisation's own machines have.</summary>
    private static readonly IPNetwork[] _private = [Net("10.0.0.0/8"), Net("100.64.0.0/10"), Net("172.16.0.0/12"), Net("192.168.0.0/16"), Net("fc00::/7")];

    /// <summary>Whether a request to a host may go to this address.</summary>
    /// <param name="host">As the declaration names it.</param>
    /// <param name="address">What it was resolved to, just now; exactly this is dialled.</param>
    /// <param name="allowPrivate">Whether the declaration says that the host is not public.</param>
    public static bool MayDial(string host, IPAddress address, bool allowPrivate)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (host is "localhost" or "loopback")
        {
            return allowPrivate && IPAddress.IsLoopback(address);
        }

        if (IsPublic(address))
        {
            return true;
        }

        // A name may come to mean the metadata service or this machine; only the address itself, written down, may.
        return allowPrivate && ((IPAddress.TryParse(host, out var literal) && literal.Equals(address)) || _private.Any(net => Has(net, address)));
    }

    public static bool IsPublic(IPAddress address)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily == AddressFamily.InterNetwork
            ? !_special4.Any(net => net.Contains(address))
            : Has(_global6, address) && !_special6.Any(net => net.Contains(address));
    }

    private static bool Has(IPNetwork net, IPAddress address) => net.BaseAddress.AddressFamily == address.AddressFamily && net.Contains(address);

    private static IPNetwork Net(string text) => IPNetwork.Parse(text);
}
