using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Cove.Server.Bounds;

/// <summary>How far a TCP peer has taken what was sent to it, as the kernel knows it (<c>struct tcp_info</c>).</summary>
internal readonly record struct SentBytes(long Taken, bool Waits)
{
    private const int Tcp = 6;
    private const int TcpInfo = 11;
    private const int Unacked = 24; // segments
    private const int BytesAcked = 120;
    private const int NotSent = 144;

    /// <summary>Null when the socket is gone.</summary>
    public static SentBytes? Of(Socket socket)
    {
        Span<byte> info = stackalloc byte[148];
        try
        {
            return socket.GetRawSocketOption(Tcp, TcpInfo, info) < info.Length
                ? default(SentBytes) // a kernel that does not tell
                : new SentBytes(MemoryMarshal.Read<long>(info[BytesAcked..]), MemoryMarshal.Read<uint>(info[NotSent..]) + MemoryMarshal.Read<uint>(info[Unacked..]) > 0);
        }
        catch (Exception gone) when (gone is ObjectDisposedException or SocketException)
        {
            return null;
        }
    }
}
