using System.Diagnostics;
using System.Net.Sockets;
using Cove.Engine.Isolation.Namespaces;
using Microsoft.Win32.SafeHandles;

namespace Cove.Benchmarks.Peers;

/// <summary>The least a run can cost: a frame to a plain Python over the engine's own kind of socket, and the same bytes back.</summary>
internal sealed class EchoPeer : IDisposable
{
    private const string Code = """
        import socket, sys
        link = socket.socket(socket.AF_UNIX)
        link.connect(sys.argv[1])
        while data := link.recv(65536):
            link.sendall(data)
        """;

    private readonly Reactor _reactor;
    private readonly Process _process;
    private readonly UnixFrameLink _link;

    private EchoPeer(Process process, UnixFrameLink link, Reactor reactor)
    {
        _process = process;
        _link = link;
        _reactor = reactor;
    }

    public static async Task<EchoPeer> StartAsync(string workDirectory, CancellationToken cancellationToken)
    {
        var path = Path.Combine(workDirectory, "echo.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-I", "-S", "-c", Code, path])) ?? throw new InvalidOperationException("python3 did not start");
        using var socket = await listener.AcceptAsync(cancellationToken);
        var descriptor = new SafeFileHandle(Libc.Duplicate(socket.SafeHandle, Libc.F_DUPFD_CLOEXEC, 3), ownsHandle: true);
        Libc.MakeNonBlocking(descriptor);
        var reactor = new Reactor();
        return new EchoPeer(process, new UnixFrameLink(reactor, descriptor), reactor);
    }

    public async Task RoundTripAsync(CancellationToken cancellationToken)
    {
        await _link.SendAsync("{\"t\":\"execute\",\"run\":\"00000000000000000000000000000000\",\"code\":\"1+1\"}"u8.ToArray(), channels: null, cancellationToken);
        _ = await _link.ReceiveAsync(cancellationToken) ?? throw new InvalidOperationException("the echo ended");
    }

    public void Dispose()
    {
        _link.Dispose();
        _process.WaitForExit();
        _process.Dispose();
        _reactor.Dispose();
    }
}
