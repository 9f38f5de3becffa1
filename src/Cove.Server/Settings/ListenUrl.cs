using System.Net;
using System.Net.Sockets;

namespace Cove.Server.Settings;

/// <summary>An address to listen at. No name but localhost: what a name resolves to decides who can reach the server.</summary>
/// <param name="IsHttps">Whether it speaks TLS.</param>
/// <param name="Address">The IP address; null for localhost: both loopback addresses.</param>
/// <param name="Port">The port; 0 for any that is free.</param>
internal sealed record ListenUrl(bool IsHttps, IPAddress? Address, int Port)
{
    public const string Form = "http://ADDRESS:PORT (or https) with an IP address or localhost, for example http://127.0.0.1:8787";

    public static readonly ListenUrl Default = new(false, IPAddress.Loopback, 8787);

    public bool IsLoopback => Address is null || IPAddress.IsLoopback(Address);

    /// <summary>As a Host header names it.</summary>
    public string HostText => Address is null ? "localhost" : Address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{Address}]" : Address.ToString();

    public static ListenUrl? TryParse(string text)
    {
        var isHttps = text.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        if (!isHttps && !text.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        // Not Uri: it would turn 127.1 or 0x7f000001 into addresses and swallow user names, paths and queries.
        var rest = text[(isHttps ? 8 : 7)..].TrimEnd('/');
        var colon = rest.LastIndexOf(':');
        if (colon < 0 || !int.TryParse(rest[(colon + 1)..], System.Globalization.NumberStyles.None, null, out var port) || port > 65535)
        {
            return null;
        }

        var host = rest[..colon];
        if (host == "localhost")
        {
            return port == 0 ? null : new ListenUrl(isHttps, null, port);
        }

        var bare = host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host;
        return IPAddress.TryParse(bare, out var address) && (address.AddressFamily == AddressFamily.InterNetworkV6 ? host != bare : address.ToString() == host)
            ? new ListenUrl(isHttps, address, port)
            : null;
    }

    public override string ToString() => $"{(IsHttps ? "https" : "http")}://{HostText}:{Port}";
}
