using System.Net;
using System.Net.Sockets;

namespace Cove.Tests.Support;

/// <summary>A TCP port before a Unix socket whose connections break after as many bytes of answers as the test says.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly string _socket;
    private readonly Func<int> _bytes;
    private readonly Task _accepting;

    public CuttingProxy(string socket, Func<int> bytes)
    {
        (_socket, _bytes) = (socket, bytes);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public int Cuts { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Stop();
        await _accepting;
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_closing.Token), _bytes()));
            }
        }
        catch (Exception closed) when (closed is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket caller, int left)
    {
        using var behind = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (caller)
        {
            try
            {
                await behind.ConnectAsync(new UnixDomainSocketEndPoint(_socket), _closing.Token);
                await using var there = new NetworkStream(behind);
                await using var here = new NetworkStream(caller);
                var up = here.CopyToAsync(there, _closing.Token);
                var buffer = new byte[512];
                while (left > 0 && await there.ReadAsync(buffer.AsMemory(0, Math.Min(left, buffer.Length)), _closing.Token) is > 0 and var count)
                {
                    await here.WriteAsync(buffer.AsMemory(0, count), _closing.Token);
                    left -= count;
                }

                Cuts += left == 0 ? 1 : 0;
                caller.Close(0);
                behind.Close(0);
                await up;
            }
            catch (Exception cut) when (cut is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            {
                // Either end may be gone at any moment: that is what this is for.
            }
        }
    }
}
