using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Cove.Tests.Support;

/// <summary>An answer as its bytes were.</summary>
/// <param name="Status">The status; 0 when the other end hung up without a word.</param>
/// <param name="Head">Status line and headers.</param>
/// <param name="Body">What was read of the body.</param>
internal sealed record RawAnswer(int Status, string Head, string Body)
{
    public bool IsProblem => Head.Contains("application/problem+json", StringComparison.OrdinalIgnoreCase);

    public string? Header(string name) => Head.Split("\r\n").FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();
}

/// <summary>Requests byte for byte: a client library would refuse, escape or complete what a hostile caller sends.</summary>
internal static partial class RawHttp
{
    private const int MostBytes = 8 << 20;

    /// <summary>Sends one request on a connection of its own, and reads until the server closes it or, where it goes on for ever, its head.</summary>
    public static async Task<RawAnswer> SendAsync(Uri server, byte[] request, bool headOnly = false)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(server.Host, server.Port);
        var stream = client.GetStream();
        var sending = WriteAsync(stream, request);
        var answer = await Eventually.Within(ReadAsync(stream, headOnly));
        client.Close();
        await sending;
        return answer;
    }

    public static byte[] Request(Uri server, string method, string target, IEnumerable<(string Name, string Value)> headers, byte[]? body = null)
    {
        var all = headers.ToList();
        all.Insert(0, ("Host", server.Authority));
        all.Add(("Connection", "close"));
        if (body is not null)
        {
            all.Add(("Content-Length", body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        var head = $"{method} {target} HTTP/1.1\r\n" + string.Concat(all.Select(h => $"{h.Name}: {h.Value}\r\n")) + "\r\n";
        return [.. Encoding.Latin1.GetBytes(head), .. body ?? []];
    }

    private static async Task WriteAsync(NetworkStream stream, byte[] request)
    {
        try
        {
            await stream.WriteAsync(request);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // The server had heard enough.
        }
    }

    private static async Task<RawAnswer> ReadAsync(NetworkStream stream, bool headOnly)
    {
        var held = new MemoryStream();
        var buffer = new byte[16 << 10];
        try
        {
            while (held.Length < MostBytes && await stream.ReadAsync(buffer) is > 0 and var count)
            {
                held.Write(buffer, 0, count);
                if (IsWhole(Encoding.Latin1.GetString(held.GetBuffer(), 0, (int)held.Length), headOnly))
                {
                    break;
                }
            }
        }
        catch (IOException)
        {
            // Reset: what was read is what was said.
        }

        var text = Encoding.UTF8.GetString(held.GetBuffer(), 0, (int)held.Length);
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return end < 0
            ? new RawAnswer(0, text, "")
            : new RawAnswer(int.Parse(text.AsSpan("HTTP/1.1 ".Length, 3), System.Globalization.CultureInfo.InvariantCulture), text[..end], text[(end + 4)..]);
    }

    private static bool IsWhole(string soFar, bool headOnly)
    {
        var end = soFar.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var length = Length().Match(soFar);
        return end >= 0 && (length.Success && length.Index < end ? soFar.Length >= end + 4 + int.Parse(length.ValueSpan["\r\nContent-Length:".Length..], System.Globalization.CultureInfo.InvariantCulture) : headOnly);
    }

    [GeneratedRegex("\r\nContent-Length: *[0-9]+", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Length();
}
