using System.Net;
using System.Net.Sockets;
using Cove.Tests.Support;

namespace Cove.Tests.Mcp.Published;

/// <summary>
/// A place where a program of others can reach two servers of the test's and nothing else: a network namespace of its own, with a relay on the
/// servers' ports. Only root can make one; everybody else runs the program as it is.
/// </summary>
internal sealed class LoopbackAlone : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly List<Socket> _listeners = [];
    private readonly List<string> _pairs = [];
    private readonly string _directory;

    public LoopbackAlone(string directory, params IEnumerable<Uri> servers)
    {
        _directory = directory;
        foreach (var server in servers)
        {
            var path = Path.Combine(directory, server.Port + ".sock");
            var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen();
            _listeners.Add(listener);
            _pairs.Add($"{server.Port}={path}");
            _ = AcceptAsync(listener, server.Port);
        }
    }

    /// <summary>The command that runs a program there.</summary>
    public string[] Command(params string[] program) => !Environment.IsPrivilegedProcess ? program
        : ["/usr/bin/unshare", "--net", "--", "/usr/bin/python3", "-B", Path.Combine(LiveEngine.Repository, "tests", "Cove.Tests", "Mcp", "Published", "relay.py"), .. _pairs, "--", .. program];

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        foreach (var listener in _listeners)
        {
            listener.Dispose();
        }

        _ended.Dispose();
    }

    private async Task AcceptAsync(Socket listener, int port)
    {
        try
        {
            while (true)
            {
                _ = RelayAsync(await listener.AcceptAsync(_ended.Token), port);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task RelayAsync(Socket near, int port)
    {
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (near)
        {
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, port, _ended.Token);
                await Task.WhenAll(CopyAsync(near, far), CopyAsync(far, near));
            }
            catch (Exception failure) when (failure is OperationCanceledException or SocketException or IOException)
            {
                // One of them hung up.
            }
        }
    }

    private async Task CopyAsync(Socket source, Socket target)
    {
        var buffer = new byte[65_536];
        while (await source.ReceiveAsync(buffer, _ended.Token) is > 0 and var count)
        {
            for (var sent = 0; sent < count;)
            {
                sent += await target.SendAsync(buffer.AsMemory(sent, count - sent), _ended.Token);
            }
        }

        target.Shutdown(SocketShutdown.Send);
    }
}
