using Cove.Cli.Warm;
using Cove.Client;

namespace Cove.Cli.Mcp;

/// <summary>A connection that is kept for hours. This user's own engine ends when it is idle for long; the next call starts another.</summary>
internal sealed class HeldConnection(EngineChoice choice, TimeProvider time) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private CoveClient? _client;

    public async ValueTask<ICove> GetAsync(CancellationToken cancellationToken)
    {
        if (_client is { } known && await IsGoodAsync(known, cancellationToken))
        {
            return known;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            // Somebody else may have made it meanwhile. The old client is left to its calls, which know best that it is gone.
            return _client is { } made && await IsGoodAsync(made, cancellationToken) ? made : _client = await Connection.OpenAsync(choice, time, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _gate.Dispose();
        if (_client is { } client)
        {
            await client.DisposeAsync();
        }
    }

    private async ValueTask<bool> IsGoodAsync(CoveClient client, CancellationToken cancellationToken) => choice.Server is not null || await AnswersAsync(client, cancellationToken);

    private static async Task<bool> AnswersAsync(CoveClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.PingAsync(cancellationToken);
            return true;
        }
        catch (CoveException)
        {
            return false;
        }
    }
}
