using System.Buffers.Binary;
using System.Net.Sockets;

namespace Cove.Server.Hosting;

/// <summary>Who is at the other end of a Unix socket, as the kernel recorded it: <c>struct ucred { pid, uid, gid }</c>.</summary>
internal readonly record struct PeerCredentials(int Process, uint User)
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    public static PeerCredentials Of(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
        return new PeerCredentials((int)Number(credentials), Number(credentials[4..]));
    }

    private static uint Number(ReadOnlySpan<byte> bytes) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
