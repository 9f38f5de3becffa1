using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Cove.Server.Bounds;

/// <summary>How far a TCP peer has taken what was sent to it, as the kernel knows it (<c>struct tcp_info</c>). Bytes since the connection began, and those on the way or waiting.</summary>
internal readonly record struct SentBytes(long Taken, long Waiting)
{
    private const int Tcp = 6;
    private const int TcpInfo = 11;
    private const int BytesAcked = 120;
    private const int NotSent = 144;
    private const int BytesSent = 200;
    private const int BytesSentAgain = 208;

    /// <summary>Null when the socket is gone.</summary>
    public static SentBytes? Of(Socket socket)
    {
        Span<byte> info = stackalloc byte[216];
        try
        {
            return socket.GetRawSocketOption(Tcp, TcpInfo, info) < info.Length
                ? default(SentBytes) // a kernel that does not tell
                : Read(info);
        }
        catch (Exception gone) when (gone is ObjectDisposedException or SocketException)
        {
            return null;
        }
    }

    private static SentBytes Read(ReadOnlySpan<byte> info)
    {
        var taken = MemoryMarshal.Read<long>(info[BytesAcked..]);
        var under = MemoryMarshal.Read<long>(info[BytesSent..]) - MemoryMarshal.Read<long>(info[BytesSentAgain..]) - taken;
        return new SentBytes(taken, Math.Max(0, under) + MemoryMarshal.Read<uint>(info[NotSent..]));
    }
}
