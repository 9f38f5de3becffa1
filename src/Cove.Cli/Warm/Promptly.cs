using System.Net.Sockets;
using Cove.Server.Hosting;

namespace Cove.Cli.Warm;

/// <summary>Questions that a living engine answers at once. One that is frozen takes connections (its kernel does that for it) and then says nothing, for ever.</summary>
internal static class Promptly
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(1);

    public static async Task<T> AskAsync<T>(string socket, Func<CancellationToken, Task<T>> ask, TimeProvider time, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            return await ask(either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Stuck(socket, await ProcessAsync(socket, time));
        }
    }

    public static Task AskAsync(string socket, Func<CancellationToken, Task> ask, TimeProvider time, CancellationToken cancellationToken) =>
        AskAsync(
            socket,
            async limited =>
            {
                await ask(limited);
                return true;
            },
            time,
            cancellationToken);

    private static CoveException Stuck(string socket, int? process) => process is { } pid
        ? Errors.Host("engine_stuck", $"The engine (process {pid}) has not answered for {Limit.TotalSeconds:0} s.", $"End it and try again: kill -9 {pid}")
        : Errors.Host("engine_stuck", $"The engine at {socket} has not answered for {Limit.TotalSeconds:0} s.", "Find its process (ps aux | grep 'engine run'), end it with kill -9, and try again.");

    /// <summary>The process behind a socket, which the kernel tells without asking it; null when even connecting takes too long.</summary>
    private static async Task<int?> ProcessAsync(string path, TimeProvider time)
    {
        try
        {
            using var late = new CancellationTokenSource(ConnectLimit, time);
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), late.Token);
            return PeerCredentials.Of(socket) is { Process: > 0 } peer ? peer.Process : null;
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            return null;
        }
    }
}
