using System.Net;
using System.Net.Sockets;

namespace Cove.Agent.HttpTools.Sending;

/// <summary>Resolves a host, judges what it resolved to, and dials exactly that: nobody can answer the judge one address and the dialler another.</summary>
internal sealed class Dialer(Func<string, CancellationToken, Task<IPAddress[]>> resolve, bool allowPrivate)
{
    public async ValueTask<Stream> DialAsync(DnsEndPoint to, CancellationToken cancellationToken)
    {
        var host = to.Host.Trim('[', ']');
        var all = IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, cancellationToken).ConfigureAwait(false);
        var good = all.Where(address => AddressRules.MayDial(host, address, allowPrivate)).ToArray();
        if (good.Length == 0)
        {
            throw all.Length == 0 ? new SocketException((int)SocketError.HostNotFound) : new AddressRefused(host);
        }

        Exception? last = null;
        foreach (var address in good)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, to.Port, cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception failure)
            {
                socket.Dispose();
                if (failure is not SocketException)
                {
                    throw;
                }

                last = failure;
            }
        }

        throw last!;
    }
}

/// <summary>A host that is not where a tool may go. Which address it has is not said: whoever calls tools shall not map the network with them.</summary>
internal sealed class AddressRefused(string host) : IOException($"{host} is not at a public address");
