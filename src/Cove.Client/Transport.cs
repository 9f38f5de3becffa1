using System.Buffers.Binary;
using System.Net.Sockets;

namespace Cove.Client;

/// <summary>Connections to a server over TCP, or to an engine over its Unix socket.</summary>
internal static class Transport
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    public static HttpClient Create(CoveClientOptions options)
    {
        if (options.UnixSocket is null && options.Server is null)
        {
            throw new ArgumentException("Either UnixSocket or Server must be set.", nameof(options));
        }

        var handler = new SocketsHttpHandler
        {
            // Neither a proxy from the environment nor a redirect may come between us and the engine.
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
        };
        if (options.UnixSocket is { } path)
        {
            handler.ConnectCallback = async (_, cancellationToken) => new NetworkStream(await ConnectAsync(path, options.AcceptedUsers, cancellationToken), ownsSocket: true);
        }
        else
        {
            handler.ConnectCallback = static (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, cancellationToken);
        }

        return new HttpClient(handler)
        {
            BaseAddress = options.UnixSocket is null ? options.Server : new Uri("http://cove/"),

            // Runs and transfers end by their own limits.
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>A connection on which the death of the other end is noticed within half a minute, also while nothing is sent.</summary>
    private static async ValueTask<Stream> ConnectAsync(System.Net.DnsEndPoint server, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(server, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Socket> ConnectAsync(string path, IReadOnlyCollection<uint>? acceptedUsers, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            if (acceptedUsers is not null && PeerUser(socket) is var user && !acceptedUsers.Contains(user))
            {
                throw new CoveException(Failures.Foreign(path, user));
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Who listens at the other end, as the kernel recorded it: <c>struct ucred { pid, uid, gid }</c>.</summary>
    private static uint PeerUser(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]) : BinaryPrimitives.ReadUInt32BigEndian(credentials[4..]);
    }
}
