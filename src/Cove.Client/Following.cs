using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cove.Client;

/// <summary>Reads events from one on, and takes the stream up again when it breaks: none is lost and none comes twice.</summary>
internal sealed class Following<T>(CoveClient client, CoveClientOptions options, Func<long, string> path, JsonTypeInfo<T> type, Func<T, long> sequenceOf, Func<T, bool> isLast)
    where T : class
{
    private readonly Backoff _backoff = new(options);
    private EventLines? _lines;
    private bool _anyInThisAnswer;

    public async IAsyncEnumerable<T> ReadAsync(long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            while (await NextAsync(after, cancellationToken) is { } next)
            {
                after = sequenceOf(next);
                yield return next;
                if (isLast(next))
                {
                    yield break;
                }
            }
        }
        finally
        {
            await CloseAsync();
        }
    }

    private async Task<T?> NextAsync(long after, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (_lines is null)
                {
                    _anyInThisAnswer = false;
                    _lines = await client.OpenAsync(HttpMethod.Get, path(after), null, cancellationToken);
                }

                if (await _lines.NextAsync(type, cancellationToken) is { } next)
                {
                    _anyInThisAnswer = true;
                    _backoff.Reset();
                    return next;
                }

                // The answer is over, and what is last did not come. When nothing came at all there is nothing (more) to come.
                if (!_anyInThisAnswer)
                {
                    return null;
                }

                await CloseAsync();
            }
            catch (JsonException failure)
            {
                throw Failures.BadAnswer(options.Address, failure);
            }
            catch (Exception failure) when (Failures.MayPass(failure) && !cancellationToken.IsCancellationRequested)
            {
                await CloseAsync();
                if (!await _backoff.WaitAsync(cancellationToken))
                {
                    throw failure as CoveException ?? Failures.Unreachable(options.Address, failure);
                }
            }
        }
    }

    private async ValueTask CloseAsync()
    {
        if (_lines is { } lines)
        {
            _lines = null;
            await lines.DisposeAsync();
        }
    }
}
