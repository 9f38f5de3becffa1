using System.Globalization;
using System.Text.Json;
using Cove.Engine.Isolation;
using Cove.Engine.Runs;

namespace Cove.Engine.ToolCalls;

/// <summary>
/// The tool calls of one run: what the guest asks (hostile: numbers, names, sizes and counts are checked here), what waits, what was answered, and
/// the queue of answers on their way to the guest. An honest kernel keeps to the bounds by itself; who oversteps them loses its kernel.
/// </summary>
internal sealed class ToolDesk
{
    /// <summary>Calls that may wait at once, those included whose answers the guest has not been given yet.</summary>
    public const int MaxPending = 128;

    /// <summary>Arguments that calls may wait with, in characters of all together: they are kept until the answer is there.</summary>
    public const int MaxPendingArguments = 4 << 20;

    /// <summary>Answers that may be on their way: more wait for the guest to read.</summary>
    public const int MaxQueuedBytes = 4 << 20;

    private const string Prefix = "call_";

    private readonly Lock _lock = new();
    private readonly Run _run;
    private readonly string _nonce;
    private readonly HashSet<string> _names;
    private readonly TimeSpan _timeout;
    private readonly int _maxCalls;
    private readonly TimeProvider _time;
    private readonly Dictionary<int, Waiting> _waiting = [];
    private readonly Queue<ReadOnlyMemory<byte>> _queue = new();
    private TaskCompletionSource _changed = NewChange();
    private long _queuedBytes;
    private long _arguments;
    private int _made;
    private bool _ended;

    public ToolDesk(Run run, RunRequest request, string nonce, TimeProvider time)
    {
        (_run, _nonce, _time) = (run, nonce, time);
        _names = [.. request.Tools!.Select(t => t.Name)];
        _timeout = request.ToolCallTimeout ?? ToolRules.DefaultTimeout;
        _maxCalls = request.MaxToolCalls ?? ToolRules.DefaultCalls;
        Queue_NeedsLock(ToolFrames.Tools(nonce, request.Tools!, _maxCalls));
    }

    /// <summary>The run's clock, which stands still while a call waits; set before its first call is read.</summary>
    public RunDeadline? Deadline { get; set; }

    /// <summary>How many calls were made.</summary>
    public int Made => Volatile.Read(ref _made);

    /// <summary>Whether the run is over: nothing is carried any more, and nobody is told that it could not be.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_lock)
            {
                return _ended;
            }
        }
    }

    /// <summary>Takes a call of the guest's; what is wrong with it, when no honest kernel sends it.</summary>
    public string? Take(int number, string name, string arguments)
    {
        lock (_lock)
        {
            var fault = _ended ? null
                : number != _made + 1 ? "a tool call is not numbered in order"
                : number > _maxCalls ? $"more than the {_maxCalls} tool calls of the run"
                : !_names.Contains(name) ? "a call of a tool that was not declared"
                : arguments.Length > ToolArguments.MaxBytes ? "a tool call with more arguments than a call may have"
                : _arguments + arguments.Length > MaxPendingArguments ? "more arguments than waiting calls may have together"
                : _waiting.Count + _queue.Count >= MaxPending ? $"more than {MaxPending} tool calls at once"
                : null;
            if (fault is not null || _ended)
            {
                return fault;
            }

            _made = number;
            if (ToolArguments.Parse(arguments) is { } parsed)
            {
                Wait_NeedsLock(number, name, parsed, arguments.Length);
            }
            else
            {
                Queue_NeedsLock(ToolFrames.Answer(_nonce, number, HostAnswer.Failed(
                    "input", $"The arguments are no JSON object of at most {ToolArguments.MaxBytes >> 10} KiB, nested at most {ToolArguments.MaxDepth} deep, without repeated names.")));
            }

            return null;
        }
    }

    /// <summary>Answers a call; returns when the answer is on its way.</summary>
    public async Task AnswerAsync(string callId, HostAnswer answer, CancellationToken cancellationToken)
    {
        var number = Number(callId) ?? throw Refusals.ToolCallNotFound(_run.Id, callId);
        var frame = ToolFrames.Answer(_nonce, number, answer);
        while (!TryAnswer(number, callId, frame, answer.Error, out var changed))
        {
            await changed.WaitAsync(cancellationToken); // ends with the call's timeout, or the run, at the latest
        }
    }

    /// <summary>Carries answers to the guest until the run ended or the guest closed its end.</summary>
    public async Task PumpAsync(ByteSink sink)
    {
        while (await NextAsync() is { } frame)
        {
            if (!await sink.WriteAsync(frame, CancellationToken.None))
            {
                return; // its calls fail by their timeouts; it can't be told
            }

            lock (_lock)
            {
                _queuedBytes -= frame.Length;
                Change_NeedsLock();
            }
        }
    }

    /// <summary>The run is over: nothing waits any more.</summary>
    public void End()
    {
        lock (_lock)
        {
            _ended = true;
            foreach (var waiting in _waiting.Values)
            {
                waiting.Timer.Dispose();
            }

            _waiting.Clear();
            Change_NeedsLock();
        }
    }

    /// <summary>Takes the next frame from the queue: a guest that has read one may make its next call before this process hears that it was written.</summary>
    private async Task<ReadOnlyMemory<byte>?> NextAsync()
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_ended)
                {
                    return null;
                }

                if (_queue.TryDequeue(out var frame))
                {
                    return frame;
                }

                changed = _changed.Task;
            }

            await changed;
        }
    }

    private void Wait_NeedsLock(int number, string name, JsonElement arguments, int length)
    {
        _arguments += length;
        Deadline?.Pause();
        var timer = _time.CreateTimer(_ => GiveUp(number), null, _timeout, Timeout.InfiniteTimeSpan);
        _waiting.Add(number, new Waiting(name, length, _time.GetTimestamp(), timer));
        _run.Events.ToolCall(Prefix + number.ToString(CultureInfo.InvariantCulture), name, arguments);
    }

    private void GiveUp(int number)
    {
        lock (_lock)
        {
            if (_waiting.TryGetValue(number, out var waiting))
            {
                var failure = HostAnswer.Failed("timeout", $"The tool '{waiting.Name}' did not answer within {Durations.Say(_timeout)}.", retryable: true);
                Settle_NeedsLock(number, waiting, ToolFrames.Answer(_nonce, number, failure), failure.Error);
            }
        }
    }

    private bool TryAnswer(int number, string callId, ReadOnlyMemory<byte> frame, HostFailure? error, out Task changed)
    {
        lock (_lock)
        {
            changed = _changed.Task;
            if (_ended)
            {
                throw Refusals.ToolRunEnded(_run.Id);
            }

            if (!_waiting.TryGetValue(number, out var waiting))
            {
                throw number <= _made ? Refusals.ToolCallAnswered(_run.Id, callId) : Refusals.ToolCallNotFound(_run.Id, callId);
            }

            if (_queuedBytes > 0 && _queuedBytes + frame.Length > MaxQueuedBytes)
            {
                return false;
            }

            Settle_NeedsLock(number, waiting, frame, error);
            return true;
        }
    }

    private void Settle_NeedsLock(int number, Waiting waiting, ReadOnlyMemory<byte> frame, HostFailure? error)
    {
        _waiting.Remove(number);
        _arguments -= waiting.Length;
        waiting.Timer.Dispose();
        _run.Events.ToolAnswered(Prefix + number.ToString(CultureInfo.InvariantCulture), error, _time.GetElapsedTime(waiting.Since));
        if (_waiting.Count == 0)
        {
            Deadline?.Resume();
        }

        Queue_NeedsLock(frame);
    }

    private void Queue_NeedsLock(ReadOnlyMemory<byte> frame)
    {
        _queue.Enqueue(frame);
        _queuedBytes += frame.Length;
        Change_NeedsLock();
    }

    private void Change_NeedsLock()
    {
        var changed = _changed;
        _changed = NewChange();
        changed.TrySetResult();
    }

    private static int? Number(string callId) =>
        callId.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(callId.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0 && callId[Prefix.Length] != '0' ? number : null;

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Waiting(string Name, int Length, long Since, ITimer Timer);
}
