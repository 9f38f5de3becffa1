using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Cove.Wire;

namespace Cove.Client;

/// <summary>
/// One run as its events arrive. It never throws and always ends in a <see cref="RunCompleted"/>: when the other end doesn't send one, this side says so.
/// Cancelling interrupts; an interrupted run that doesn't end within the grace is killed, and given up after one more.
/// </summary>
internal sealed class RunStream : IAsyncDisposable
{
    /// <summary>Longer than any event an engine sends (16 MiB of display data, as JSON): what is longer is no event.</summary>
    private const int MaximumLineBytes = 128 << 20;

    private readonly CoveClient _client;
    private readonly CoveClientOptions _options;
    private readonly SandboxId _sandbox;
    private readonly RunRequest _request;
    private readonly CancellationToken _callerCancelled;
    private readonly CancellationTokenSource _giveUp = new();
    private readonly long _startedAt;
    private CancellationTokenRegistration _onCancel;
    private HttpResponseMessage? _response;
    private PipeReader? _reader;
    private long _sequence;
    private bool _ended;

    public RunStream(CoveClient client, CoveClientOptions options, SandboxId sandbox, RunRequest request, CancellationToken callerCancelled)
    {
        (_client, _options, _sandbox, _request, _callerCancelled) = (client, options, sandbox, request, callerCancelled);
        _startedAt = options.Time.GetTimestamp();
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
            if (_reader is null)
            {
                if (_callerCancelled.IsCancellationRequested)
                {
                    return End(RunOutcome.Interrupted, Failures.InterruptedBeforeStart());
                }

                await StartAsync();
            }

            next = await ReadAsync();
        }
        catch (CoveException failure)
        {
            var refused = failure.Error.Category is not ErrorCategory.Infrastructure;
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
        if (_reader is not null && !_ended)
        {
            await LeaveAsync();
        }

        _response?.Dispose();
        if (_reader is not null)
        {
            await _reader.CompleteAsync();
        }

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

    private async Task StartAsync()
    {
        _onCancel = _callerCancelled.Register(static state => _ = ((RunStream)state!).StopAsync(), this);
        _response = await _client.OpenRunAsync(_sandbox, _request, _giveUp.Token);
        _reader = PipeReader.Create(await _response.Content.ReadAsStreamAsync(_giveUp.Token), new StreamPipeReaderOptions(bufferSize: 64 * 1024));
    }

    private async ValueTask<RunEvent> ReadAsync()
    {
        while (true)
        {
            var read = await _reader!.ReadAsync(_giveUp.Token);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = read.Buffer.Slice(0, end);
                var next = Parse(line);
                _reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                return next;
            }

            if (read.IsCompleted)
            {
                throw new IOException("the stream ended without a completed event");
            }

            if (read.Buffer.Length > MaximumLineBytes)
            {
                throw new InvalidDataException("an event is longer than any engine sends");
            }

            _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static RunEvent Parse(ReadOnlySequence<byte> line)
    {
        var json = new Utf8JsonReader(line);
        return JsonSerializer.Deserialize(ref json, CoveJson.Wire.RunEvent) ?? throw new JsonException("An event is null.");
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
