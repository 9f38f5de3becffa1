using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>Requests to the launcher and their answers, matched by id; events are handed on in the order they arrive.</summary>
internal sealed class LauncherLink : IDisposable
{
    // What a kill takes, three times over on a slow host. It is waited for by its caller's thread: the processes it ends keep processors busy,
    // and a thread that had to be woken for the answer may find itself behind one that is giving back its memory.
    private static readonly TimeSpan _brief = TimeSpan.FromMilliseconds(2);

    private readonly UnixFrameLink _link;
    private readonly Action<JsonElement> _onEvent;
    private readonly Lock _receiving = new();
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> _pending = new();
    private long _nextId;
    private bool _over;
    private volatile bool _closed;

    public LauncherLink(Reactor reactor, SafeFileHandle socket, Action<JsonElement> onEvent)
    {
        _link = new UnixFrameLink(reactor, socket);
        _onEvent = onEvent;
        Closed = Task.Run(ReceiveAllAsync);
    }

    /// <summary>Completes when the launcher is gone; never faults.</summary>
    public Task Closed { get; }

    /// <summary>
    /// Sends a request and returns its answer. Throws <see cref="LauncherRefusedException"/> for a refusal and <see cref="CellGoneException"/> when the
    /// launcher is gone. With <paramref name="onThisThread"/> the calling thread waits for it, for 2 ms at most, on half the processors at most.
    /// </summary>
    public async Task<JsonElement> AskAsync(
        string operation, Action<Utf8JsonWriter> writeFields, SafeFileHandle[] descriptors, CancellationToken cancellationToken, bool onThisThread = false)
    {
        var id = Interlocked.Increment(ref _nextId);
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[id] = answer;
        try
        {
            await _link.SendAsync(Encode(id, operation, writeFields, descriptors.Length), descriptors, cancellationToken);
            if (_closed)
            {
                throw new CellGoneException("The launcher is gone.");
            }

            if (onThisThread)
            {
                ReceiveBriefly(answer.Task);
            }

            return await answer.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    public void Dispose()
    {
        lock (_receiving)
        {
            _link.Dispose();
        }
    }

    private static ReadOnlyMemory<byte> Encode(long id, string operation, Action<Utf8JsonWriter> writeFields, int descriptors)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("op", operation);
            json.WriteNumber("fds", descriptors);
            writeFields(json);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private async Task ReceiveAllAsync()
    {
        try
        {
            while (ReceiveWaiting() && await _link.WaitReadableAsync(CancellationToken.None))
            {
            }
        }
        finally
        {
            _closed = true;
            Dispose();
            foreach (var answer in _pending.Values)
            {
                answer.TrySetException(new CellGoneException("The launcher is gone."));
            }
        }
    }

    /// <summary>Receives on this thread until the answer is there or its time is over.</summary>
    private void ReceiveBriefly(Task answer)
    {
        var started = Stopwatch.GetTimestamp();
        while (!answer.IsCompleted && _brief - Stopwatch.GetElapsedTime(started) is var left && left > TimeSpan.Zero && _link.WaitBriefly(left, answer))
        {
            if (!ReceiveWaiting())
            {
                return; // the other reader finds that, too, and tells everybody
            }
        }
    }

    /// <summary>Takes what has arrived, in its order, one thread at a time; false when nothing more will come.</summary>
    private bool ReceiveWaiting()
    {
        lock (_receiving)
        {
            try
            {
                while (!_over && _link.TryReceive(out var received))
                {
                    _over = received is null;
                    if (received is { } frame)
                    {
                        // No answer carries a descriptor in this generation.
                        frame.Descriptor?.Dispose();
                        using var document = JsonDocument.Parse(frame.Body);
                        Dispatch(document.RootElement.Clone());
                    }
                }
            }
            catch (Exception error) when (error is FrameException or JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
            {
                // The launcher is trusted code: what it sends is well formed unless it is dying. Either way it is of no use any more.
                _over = true;
                _link.Dispose();
            }

            return !_over;
        }
    }

    private void Dispatch(JsonElement message)
    {
        if (message.TryGetProperty("event", out _))
        {
            _onEvent(message);
        }
        else
        {
            // All of it is read before anybody is taken off the list: whoever asked must hear of one that is of no use, too.
            var refusal = message.GetProperty("ok").GetBoolean() ? null
                : new LauncherRefusedException(message.GetProperty("code").GetString() ?? "", message.GetProperty("message").GetString() ?? "");
            if (!_pending.TryRemove(message.GetProperty("id").GetInt64(), out var answer))
            {
                return; // its asker has given up
            }

            if (refusal is null)
            {
                answer.TrySetResult(message);
            }
            else
            {
                answer.TrySetException(refusal);
            }
        }
    }
}

/// <summary>The launcher said no, and why.</summary>
internal sealed class LauncherRefusedException : Exception
{
    public LauncherRefusedException(string code, string message)
        : base(message) => Code = code;

    public string Code { get; }
}
