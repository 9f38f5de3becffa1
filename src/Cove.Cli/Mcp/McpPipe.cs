using System.Collections.Concurrent;
using Cove.Server.Frontends.Mcp;
using Cove.Server.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ModelContextProtocol.Server;

namespace Cove.Cli.Mcp;

/// <summary>
/// The Model Context Protocol over a pair of streams, for the one host at their other end. What its tools made ends with the input: a host that
/// is closed, or killed, leaves no sandbox behind.
/// </summary>
internal sealed class McpPipe(Func<CancellationToken, ValueTask<ICove>> connect, string version, ILoggerFactory loggers, TimeProvider time)
{
    /// <summary>How long ending what is left may take.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<SandboxId, byte> _living = new();

    /// <summary>Serves until the input ends or the token is cancelled.</summary>
    public async Task RunAsync(Stream input, Stream output, CancellationToken cancellationToken)
    {
        var catalog = new SandboxCatalog(new SandboxCatalogParts { Version = version, Log = loggers.CreateLogger<SandboxCatalog>(), Caller = CallerAsync, Time = time });
        try
        {
            // The library tells each wrong request as an error with its stack; failures of ours are told by the catalog.
            await using var transport = new StreamServerTransport(input, output, "cove", NullLoggerFactory.Instance);
            await using var server = McpServer.Create(transport, catalog.Options(), NullLoggerFactory.Instance);
            await server.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to end; what is left is ended below.
        }
        finally
        {
            await EndAllAsync();
        }
    }

    private async ValueTask<McpCaller> CallerAsync(CancellationToken cancellationToken) => new()
    {
        Cove = await connect(cancellationToken),
        Scopes = Scopes.All, // a server judges by the key; this machine's engine is its user's own
        Lives = Note,
    };

    private void Note(SandboxId sandbox, bool lives)
    {
        if (lives)
        {
            _living[sandbox] = 0;
        }
        else
        {
            _living.TryRemove(sandbox, out _);
        }
    }

    private async Task EndAllAsync()
    {
        if (_living.IsEmpty)
        {
            return;
        }

        using var limit = new CancellationTokenSource(_patience, time);
        try
        {
            var cove = await connect(limit.Token);
            await Parallel.ForEachAsync(_living.Keys, limit.Token, (sandbox, token) => EndAsync(cove, sandbox, token));
        }
        catch (Exception failure) when (failure is CoveException or OperationCanceledException)
        {
            // Their idle timeouts end them.
        }
    }

    private static async ValueTask EndAsync(ICove cove, SandboxId sandbox, CancellationToken cancellationToken)
    {
        try
        {
            await cove.DeleteSandboxAsync(sandbox, cancellationToken);
        }
        catch (CoveException)
        {
            // It ended before, or its engine did.
        }
    }
}
