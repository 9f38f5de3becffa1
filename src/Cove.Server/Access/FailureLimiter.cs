using System.Net;
using System.Net.Sockets;
using Cove.Server.Access.Quotas;

namespace Cove.Server.Access;

/// <summary>Counts requests without a valid key by the address they came from; of an IPv6 address its network of 64 bits. The table is bounded.</summary>
internal sealed class FailureLimiter(int perMinute, TimeProvider time)
{
    public const int Capacity = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Failures> _failures = [];

    /// <summary>The seconds an address must wait; null while it need not.</summary>
    public long? Wait(IPAddress? address)
    {
        lock (_lock)
        {
            if (!_failures.TryGetValue(Network(address), out var failures))
            {
                return null;
            }

            failures.Bucket.Refill(perMinute, time);
            return failures.Bucket.Left > 0 ? null : failures.Bucket.UntilNext(perMinute);
        }
    }

    public void Note(IPAddress? address)
    {
        lock (_lock)
        {
            var network = Network(address);
            if (!_failures.TryGetValue(network, out var failures))
            {
                if (_failures.Count >= Capacity)
                {
                    MakeRoom();
                }

                _failures[network] = failures = new Failures();
            }

            failures.Bucket.TryTake(perMinute, time);
        }
    }

    /// <summary>Forgets those whose failures are long over; if that is too few, everybody: a flood from everywhere must not fill the memory.</summary>
    private void MakeRoom()
    {
        foreach (var (network, failures) in _failures.ToArray())
        {
            failures.Bucket.Refill(perMinute, time);
            if (failures.Bucket.Left >= perMinute)
            {
                _failures.Remove(network);
            }
        }

        if (_failures.Count >= Capacity)
        {
            _failures.Clear();
        }
    }

    /// <summary>What counts as one address.</summary>
    public static IPAddress Network(IPAddress? address)
    {
        if (address is null)
        {
            return IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    private sealed class Failures
    {
        public TokenBucket Bucket; // a field, since it is changed in place
    }
}
