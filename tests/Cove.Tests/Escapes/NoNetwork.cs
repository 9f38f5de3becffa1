using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>No network at all: not the host's loopback, not abstract sockets, not DNS, not IPv6, not metadata addresses, no strange families.</summary>
public abstract class NoNetwork(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    [Fact]
    public async Task Listeners_on_the_hosts_loopback_hear_nothing()
    {
        await using var sandbox = await SandboxAsync();
        using var four = new TcpListener(IPAddress.Loopback, 0);
        using var six = new TcpListener(IPAddress.IPv6Loopback, 0);
        using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        four.Start();
        six.Start();
        datagrams.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        // An attack that reached nothing because nothing listened would prove nothing.
        using (var control = new TcpClient())
        {
            await control.ConnectAsync((IPEndPoint)four.LocalEndpoint);
            (await four.AcceptTcpClientAsync()).Dispose();
        }

        await AssertHeldAsync(sandbox, $"""
            for address in (("127.0.0.1", {Port(four.LocalEndpoint)}), ("::1", {Port(six.LocalEndpoint)})):
                attempt(address, lambda: socket.create_connection(address, 2))
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                udp.sendto(b"hello", ("127.0.0.1", {Port(datagrams.LocalEndPoint!)}))
            except OSError:
                pass
            """);
        Assert.False(four.Pending());
        Assert.False(six.Pending());
        Assert.Equal(0, datagrams.Available);
    }

    [Fact]
    public async Task Abstract_sockets_of_the_host_do_not_exist()
    {
        await using var sandbox = await SandboxAsync();
        var name = Attack.NewSecret();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint("\0" + name));
        listener.Listen(1);
        await AssertHeldAsync(sandbox, $"""
            attempt("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\0{name}"))
            attempt("listed", lambda: open("/proc/net/unix").read().index("{name}") if "{name}" in open("/proc/net/unix").read() else os.open("", 0))
            """);
        Assert.False(listener.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task No_address_in_the_world_is_reachable()
    {
        await using var sandbox = await SandboxAsync();
        var own = NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address)
            .Where(a => !IPAddress.IsLoopback(a)).Select(a => a.ToString().Split('%')[0]);
        string[] addresses = ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "10.0.0.1", "192.168.0.1", "255.255.255.255", "224.0.0.1", .. own];
        var list = string.Join(", ", addresses.Select(a => $"'{a}'"));
        await AssertHeldAsync(sandbox, $"""
            for address in ({list}):
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                for port in (80, 53):
                    attempt(("tcp", address, port), lambda: socket.create_connection((address, port), 2))
                    attempt(("udp", address, port), lambda: socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", (address, port)))
            """);
    }

    [Fact]
    public async Task Names_do_not_resolve()
    {
        await using var sandbox = await SandboxAsync();
        var host = Dns.GetHostName();
        await AssertHeldAsync(sandbox, $"""
            for name in ("example.com", "metadata.google.internal", "host.docker.internal", "{host}"):
                attempt(name, lambda: socket.getaddrinfo(name, 80))
            """);
    }

    [Fact]
    public async Task Nothing_but_loopback_is_there()
    {
        await using var sandbox = await SandboxAsync();
        const string Code = """
            import fcntl, struct, array
            names = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
            got.extend(n for n in names if n != "lo")
            got.extend("route " + line for line in open("/proc/net/route").read().splitlines()[1:])
            got.extend("route6 " + line for line in open("/proc/net/ipv6_route") if line.split()[-1] != "lo")
            got.extend("neighbour " + line for line in open("/proc/net/arp").read().splitlines()[1:])
            buffer = array.array("B", bytes(4096))
            request = struct.pack("iL", 4096, buffer.buffer_info()[0])
            length = struct.unpack("iL", fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8912, request))[0]
            found = {bytes(buffer[i:i + 16]).rstrip(b"\0") for i in range(0, length, 40)}
            got.extend(str(n) for n in found if n.split(b"\0")[0] != b"lo")
            """;
        await AssertHeldAsync(sandbox, Code);
        await AssertHeldInCommandAsync(sandbox, Code);
    }

    [Fact]
    public async Task Raw_packet_netlink_vsock_and_other_families_cannot_be_opened()
    {
        await using var sandbox = await SandboxAsync();
        const string Code = """
            allowed = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6}
            for family in range(0, 64):
                for kind in range(1, 11):
                    if family in allowed and kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
                        continue
                    for protocol in (0, 1, 6, 255):
                        # The kernel opens a "raw" socket of the unix family as datagrams; that is no power.
                        if family == socket.AF_UNIX:
                            continue
                        result, error = syscall(41, family, kind, protocol)
                        if result != -1:
                            got.append(f"socket({family}, {kind}, {protocol})")
                if family not in allowed:
                    pair = (ctypes.c_int * 2)()
                    if syscall(53, family, 1, 0, pair)[0] != -1:
                        got.append(f"socketpair({family})")
            # The kernel looks at 32 bits of the family: the filter must look at the same.
            for family in (16 | 1 << 32, 17 | 1 << 32, 40 | 1 << 40):
                if syscall(41, family, 3, 0)[0] != -1:
                    got.append(f"socket({family:#x})")
            """;
        await AssertHeldAsync(sandbox, Code);
        await AssertHeldInCommandAsync(sandbox, Code);
    }

    [Fact]
    public async Task No_socket_is_inherited_by_what_guest_code_starts()
    {
        await using var sandbox = await SandboxAsync();
        const string Look = "ls -l /proc/self/fd | tail -n +2 | sed 1,3d | grep -c socket: || true"; // beyond stdin, stdout and stderr, for which Node takes pairs of sockets
        Assert.Equal("0\n", (await sandbox.ShellAsync(Look)).Stdout);
        Assert.Equal("0\n", (await sandbox.RunAsync(new RunRequest { Code = Look, Language = Language.Bash })).Stdout);
        Assert.Equal("0\n", (await sandbox.PythonAsync($"import subprocess; print(subprocess.run('{Look}', shell=True, close_fds=False, capture_output=True, text=True).stdout, end='')")).Stdout);
        var node = await sandbox.RunAsync(new RunRequest
        {
            Code = $"process.stdout.write(require('child_process').execSync('{Look}').toString())", Language = Language.JavaScript,
        });
        Assert.Equal("0\n", node.Stdout);
    }

    private static string Port(EndPoint endpoint) => ((IPEndPoint)endpoint).Port.ToString(CultureInfo.InvariantCulture);
}
