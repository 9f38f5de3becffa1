using System.Text.Json;
using Cove.Wire;

namespace Cove.Client;

/// <summary>
/// One run as its events arrive. It never throws and always ends in a <see cref="RunCompleted"/>: when the other end doesn't send one, this side says so.
/// A stream that breaks is taken up again, unless its break is to interrupt the run. Cancelling interrupts; an interrupted run that doesn't end within the
/// grace is killed, and given up after one more.
/// </summary>
internal sealed class RunStream : IAsyncDisposable
{
    private readonly CoveClient _client;
    private readonly CoveClientOptions _options;
    private readonly SandboxId _sandbox;
    private readonly RunRequest _request;
    private readonly CancellationToken _callerCancelled;
    private readonly CancellationTokenSource _giveUp = new();
    private readonly Backoff _backoff;
    private readonly long _startedAt;
    private CancellationTokenRegistration _onCancel;
    private EventLines? _lines;
    private long _sequence;
    private bool _begun;
    private bool _answered;
    private bool _ended;

    public RunStream(CoveClient client, CoveClientOptions options, SandboxId sandbox, RunRequest request, CancellationToken callerCancelled)
    {
        (_client, _options, _sandbox, _request, _callerCancelled) = (client, options, sandbox, request, callerCancelled);
        _startedAt = options.Time.GetTimestamp();
        _backoff = new Backoff(options);
    }

    /// <summary>The next event; null after the last one.</summary>
    public async ValueTask<RunEvent?> NextAsync()
    {
        if (_ended)
        {
            return null;
        }

        RunEvent next;
        try
        {
            if (!_begun && _callerCancelled.IsCancellationRequested)
            {
                return End(RunOutcome.Interrupted, Failures.InterruptedBeforeStart());
            }

            next = await ReadAsync();
        }
        catch (CoveException failure)
        {
            var refused = !_answered && failure.Error.Category is not ErrorCategory.Infrastructure;
            return End(refused ? RunOutcome.Refused : RunOutcome.InfrastructureFailure, failure.Error);
        }
        catch (OperationCanceledException)
        {
            return End(RunOutcome.InfrastructureFailure, Failures.Dropped(_options.Address, "it was interrupted, then killed, and reported no end"));
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException or JsonException or InvalidDataException)
        {
            return End(RunOutcome.InfrastructureFailure, Failures.Dropped(_options.Address, failure.Message));
        }

        _sequence = next.Sequence;
        _ended = next is RunCompleted;
        return next;
    }

    public async ValueTask DisposeAsync()
    {
        await _onCancel.DisposeAsync();
        if (_begun && !_ended)
        {
            await LeaveAsync();
        }

        await CloseAsync();
        await _giveUp.CancelAsync();
        _giveUp.Dispose();
    }

    /// <summary>A caller that stops reading in the middle: when it goes on, the run shall be over, as it is when the engine is in process.</summary>
    private async Task LeaveAsync()
    {
        if (!_callerCancelled.IsCancellationRequested)
        {
            _ = StopAsync();
        }

        while (await NextAsync() is not null)
        {
            // What nobody reads any more. The ladder that was just begun, or that the cancellation began, bounds this.
        }
    }

    private async Task<RunEvent> ReadAsync()
    {
        while (true)
        {
            try
            {
                _lines ??= await OpenAsync();
                var next = await _lines.NextAsync(CoveJson.Wire.RunEvent, _giveUp.Token) ?? throw new IOException("the stream ended without a completed event");
                _backoff.Reset();
                return next;
            }
            catch (Exception failure) when (!_options.InterruptsOnDisconnect && _begun && Failures.MayPass(failure) && (_answered || Failures.MayHaveArrived(failure)))
            {
                await CloseAsync();
                if (!await _backoff.WaitAsync(_giveUp.Token))
                {
                    throw new CoveException(Failures.NotResumed(_options.Address, _request.Id!.Value, _options.ResumeLimit, failure.Message), failure);
                }

                _answered = true; // whether it was is not known: it is asked for by its id from now on
            }
        }
    }

    private async Task<EventLines> OpenAsync()
    {
        if (!_begun)
        {
            _begun = true;
            _onCancel = _callerCancelled.Register(static state => _ = ((RunStream)state!).StopAsync(), this);
            var lines = await _client.OpenRunAsync(_sandbox, _request, _giveUp.Token);
            _answered = true;
            return lines;
        }

        try
        {
            return await _client.ResumeRunAsync(_sandbox, _request.Id!.Value, _sequence, _giveUp.Token);
        }
        catch (CoveException unknown) when (unknown.Error.Code == "run_not_found" && _sequence == 0)
        {
            return await SendAgainAsync();
        }
    }

    /// <summary>The request was lost on its way, or is still on it: under its id it can only begin once.</summary>
    private async Task<EventLines> SendAgainAsync()
    {
        try
        {
            return await _client.OpenRunAsync(_sandbox, _request, _giveUp.Token);
        }
        catch (CoveException known) when (known.Error.Code == "run_id_in_use")
        {
            return await _client.ResumeRunAsync(_sandbox, _request.Id!.Value, _sequence, _giveUp.Token);
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

    private async Task StopAsync()
    {
        try
        {
            await SignalAsync(_client.InterruptRunAsync);
            await Task.Delay(_options.InterruptGrace, _options.Time, _giveUp.Token);
            await SignalAsync(_client.KillRunAsync);
            await Task.Delay(_options.InterruptGrace, _options.Time, _giveUp.Token);
            await _giveUp.CancelAsync();
        }
        catch (Exception failure) when (failure is ObjectDisposedException or OperationCanceledException)
        {
            // The run ended while we waited, which is what was wanted.
        }
    }

    private async Task SignalAsync(Func<SandboxId, RunId, CancellationToken, Task> signal)
    {
        try
        {
            await signal(_sandbox, _request.Id!.Value, _giveUp.Token);
        }
        catch (CoveException)
        {
            // The run is over, or the other end is gone: then the stream ends too and tells.
        }
    }

    private RunCompleted End(RunOutcome outcome, RunError error)
    {
        _ended = true;
        return new RunCompleted
        {
            Sequence = _sequence + 1,
            Time = _options.Time.GetUtcNow(),
            Result = new RunResult
            {
                Outcome = outcome,
                Error = error,
                Duration = _options.Time.GetElapsedTime(_startedAt),
                Isolation = new IsolationTier { Backend = "unknown", Privilege = "unknown", Degraded = [] },
            },
        };
    }
}
