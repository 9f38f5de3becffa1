using Cove.Agent.HttpTools.Declarations;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Cove.Agent.HttpTools.Sending;

/// <summary>
/// What stands between a call and its tries: the time of all of them, when another follows and after which wait, the circuit of the host, the time of
/// each. What may have been done is repeated only when twice is as good as once.
/// </summary>
internal sealed class Tries
{
    private static readonly ResiliencePropertyKey<CallState> _state = new("call");
    private readonly HttpToolDeclaration _tool;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ResiliencePipeline<Attempt> _pipeline;

    public Tries(HttpToolDeclaration tool, ResiliencePipeline<Attempt> circuit, TimeProvider time, ILogger log, Func<double>? chance)
    {
        (_tool, _time, _log) = (tool, time, log);
        var builder = new ResiliencePipelineBuilder<Attempt> { TimeProvider = time };
        builder.AddTimeout(tool.Timeout.Total);
        if (tool.Retry.Max > 0)
        {
            var options = new RetryStrategyOptions<Attempt>
            {
                MaxRetryAttempts = tool.Retry.Max,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = tool.Retry.BaseDelay,
                MaxDelay = tool.Retry.MaxDelay,
                ShouldHandle = ShouldRepeat,
                DelayGenerator = arguments => new(arguments.Outcome.Result?.Wait),
                OnRetry = arguments =>
                {
                    _log.ToolRepeats(_tool.Name, arguments.AttemptNumber + 1, arguments.RetryDelay.TotalMilliseconds);
                    return default;
                },
            };
            options.Randomizer = chance ?? options.Randomizer;
            builder.AddRetry(options);
        }

        _pipeline = builder.AddPipeline(circuit).AddTimeout(tool.Timeout.PerTry).Build();
    }

    /// <summary>The circuit of one host.</summary>
    public static ResiliencePipeline<Attempt> Circuit(string host, CircuitDeclaration circuit, TimeProvider time, ILogger log) => new ResiliencePipelineBuilder<Attempt> { TimeProvider = time }
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions<Attempt>
        {
            FailureRatio = circuit.FailureRatio,
            MinimumThroughput = circuit.MinimumTries,
            SamplingDuration = circuit.Window,
            BreakDuration = circuit.Open,
            ShouldHandle = arguments => new(arguments.Outcome switch
            {
                { Exception: TimeoutRejectedException } => true,
                { Result: { } attempt } => attempt.Kind is AttemptKind.NotConnected or AttemptKind.Broken || attempt.Status >= 500,
                _ => false,
            }),
            OnOpened = arguments =>
            {
                log.CircuitOpened(host, arguments.BreakDuration.TotalSeconds);
                return default;
            },
            OnClosed = _ =>
            {
                log.CircuitClosed(host);
                return default;
            },
        })
        .Build();

    /// <summary>Tries until one is final.</summary>
    /// <exception cref="TimeoutRejectedException">There was no answer in time.</exception>
    /// <exception cref="BrokenCircuitException">Nothing is sent to this host for the moment.</exception>
    public async ValueTask<Attempt> RunAsync(CallState call, Func<CallState, CancellationToken, ValueTask<Attempt>> once, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(_state, call);
        try
        {
            return await _pipeline.ExecuteAsync(static (context, work) => work.once(work.call, context.CancellationToken), context, (call, once)).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private ValueTask<bool> ShouldRepeat(RetryPredicateArguments<Attempt> arguments)
    {
        var call = arguments.Context.Properties.GetValue(_state, null!);
        return new(arguments.Outcome switch
        {
            { Exception: TimeoutRejectedException } => MayRepeat(neverSent: !call.HasSent),
            { Result: { Kind: AttemptKind.NotConnected } } => MayRepeat(neverSent: true),
            { Result: { Kind: AttemptKind.Broken } } => MayRepeat(neverSent: false),
            { Result: { Kind: AttemptKind.Answered } answer } => _tool.Retry.Statuses.Contains(answer.Status) && MayRepeat(neverSent: false) && CanWait(call, answer.Wait),
            _ => false,
        });
    }

    private bool MayRepeat(bool neverSent) => _tool.IsRepeatable || (neverSent && _tool.Retry.PostOnConnectFailure);

    /// <summary>A wait that is too long is the caller's to wait: it is told how long.</summary>
    private bool CanWait(CallState call, TimeSpan? wait) =>
        wait is not { } known || (known <= _tool.Retry.MaxDelay && _time.GetElapsedTime(call.Started) + known < _tool.Timeout.Total);
}
