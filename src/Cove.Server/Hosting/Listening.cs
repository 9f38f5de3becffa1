using System.Security.Cryptography.X509Certificates;
using Cove.Server.Bounds;
using Cove.Server.Settings;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cove.Server.Hosting;

/// <summary>The bounds that Kestrel itself keeps, before anything of ours sees a request. HTTP/1.1 only: HTTP/2 belongs to a proxy in front.</summary>
internal static class Listening
{
    /// <summary>Below this a caller that sends a body is cut off after the grace: slow senders must not hold memory and connections. Bytes a second.</summary>
    private const double LeastRate = 240;

    /// <summary>Of what a caller sends and nobody takes yet (typing into a terminal whose program does not read) no more is read. Bytes.</summary>
    private const long InputBytes = 256 << 10;

    private static readonly TimeSpan RateGrace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HeadersTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(130);

    public static void Configure(KestrelServerOptions kestrel, ServerOptions options, X509Certificate2? certificate, Connections connections)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = options.MaxBodyBytes;
        limits.MaxConcurrentConnections = limits.MaxConcurrentUpgradedConnections = options.MaxConnections;
        limits.MaxRequestLineSize = 8 << 10;
        limits.MaxRequestHeaderCount = 64;
        limits.MaxRequestHeadersTotalSize = 32 << 10;
        limits.RequestHeadersTimeout = HeadersTime;
        limits.KeepAliveTimeout = KeepAlive;
        limits.MinRequestBodyDataRate = new MinDataRate(LeastRate, RateGrace);

        limits.MaxRequestBufferSize = InputBytes;
        limits.MinResponseDataRate = null; // who does not read is the business of Connections
        foreach (var url in options.Urls)
        {
            Listen(kestrel, url, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(connections.Guard); // before TLS: who never ends a handshake has a connection, too
                if (url.IsHttps)
                {
                    listen.UseHttps(certificate!);
                }
            });
        }
    }

    private static void Listen(KestrelServerOptions kestrel, ListenUrl url, Action<ListenOptions> configure)
    {
        if (url.Address is { } address)
        {
            kestrel.Listen(address, url.Port, configure);
        }
        else
        {
            kestrel.ListenLocalhost(url.Port, configure);
        }
    }
}
