using Cove.Agent.Models;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>Asks the model, again where that helps.</summary>
internal sealed class ModelCalls(IChatClient client, AgentOptions options, Action<AgentEvent> tell)
{
    private readonly List<(string? Model, TokenCount Tokens)> _made = [];

    /// <summary>How often it was asked again, all turns together.</summary>
    public int Retries { get; private set; }

    /// <summary>What all calls used, failed ones included.</summary>
    public TokenCount Tokens { get; private set; }

    /// <summary>What was used by each call since this was last asked, with the model that answered.</summary>
    public IReadOnlyList<(string? Model, TokenCount Tokens)> TakeCalls()
    {
        var taken = _made.ToArray();
        _made.Clear();
        return taken;
    }

    /// <summary>One turn. Nothing of an answer that broke off is kept, so asking again is always safe.</summary>
    public async Task<ModelTurn> AskAsync(IReadOnlyList<ChatMessage> messages, ChatOptions request, CancellationToken cancellationToken)
    {
        var shown = new ShownText(tell);
        for (var retry = 0; ; retry++)
        {
            var collector = new TurnCollector();
            try
            {
                await ReadAsync(messages, request, collector, shown, cancellationToken);
                shown.Finish();
                return collector.Finish();
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                var known = ModelFailures.Of(failure);
                await WaitAsync(known, retry, cancellationToken);
                shown.StartOver();
            }
            finally
            {
                Tokens += collector.Tokens;
                if (collector.Tokens.Total > 0)
                {
                    _made.Add((collector.Model, collector.Tokens));
                }
            }
        }
    }

    private async Task ReadAsync(IReadOnlyList<ChatMessage> messages, ChatOptions request, TurnCollector collector, ShownText shown, CancellationToken cancellationToken)
    {
        using var stalled = new CancellationTokenSource(options.Retry.StallTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stalled.Token);
        try
        {
            await foreach (var update in client.GetStreamingResponseAsync(messages, request, either.Token).WithCancellation(either.Token))
            {
                stalled.CancelAfter(options.Retry.StallTimeout);
                collector.Add(update);
                foreach (var text in update.Contents.OfType<TextContent>())
                {
                    shown.Add(text.Text);
                }
            }
        }
        catch (Exception) when (stalled.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw ModelFailures.Make(ModelFailureKind.Dropped, $"The model said nothing for {options.Retry.StallTimeout.TotalSeconds:0.###} s.");
        }
    }

    private async Task WaitAsync(ModelException failure, int retry, CancellationToken cancellationToken)
    {
        if (!failure.Retryable || retry >= options.Retry.MaxRetries)
        {
            throw failure;
        }

        var delay = Delay(retry);
        if (failure.RetryAfter is { } asked)
        {
            if (asked > options.Retry.MaxDelay)
            {
                throw failure;
            }

            delay = asked > delay ? asked : delay;
        }

        Retries++;
        AgentMeter.ModelRetried(failure.Failure.Kind);
        tell(new ModelRetrying(retry + 1, delay, failure.Failure));
        await Task.Delay(delay, options.Time, cancellationToken);
    }

    /// <summary>Twice as long each time, a random part of up to a quarter less: callers that failed together don't come back together.</summary>
    private TimeSpan Delay(int retry)
    {
        var whole = Math.Min(options.Retry.FirstDelay.TotalMilliseconds * Math.Pow(2, retry), options.Retry.MaxDelay.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(whole * (1 - (Random.Shared.NextDouble() / 4)));
    }
}
