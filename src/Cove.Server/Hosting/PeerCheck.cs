using System.Buffers.Binary;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Hosting;

/// <summary>Hangs up on every process of another user, before a byte of its request is read. The directory's mode keeps them out already; this holds when the mode doesn't.</summary>
internal sealed class PeerCheck(uint ownUser, ILogger<PeerCheck> log)
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    public ConnectionDelegate Guard(ConnectionDelegate next) => connection =>
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket && PeerUser(socket) is var user && (user == ownUser || user == 0))
        {
            return next(connection);
        }

        log.ForeignPeer(connection.Features.Get<IConnectionSocketFeature>() is { Socket: var known } ? PeerUser(known) : uint.MaxValue);
        connection.Abort();
        return Task.CompletedTask;
    };

    /// <summary>Who connected, as the kernel recorded it: <c>struct ucred { pid, uid, gid }</c>.</summary>
    private static uint PeerUser(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]) : BinaryPrimitives.ReadUInt32BigEndian(credentials[4..]);
    }
}
