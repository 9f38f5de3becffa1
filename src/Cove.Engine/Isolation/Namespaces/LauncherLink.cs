using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>Requests to the launcher and their answers, matched by id; events are handed on in the order they arrive.</summary>
internal sealed class LauncherLink : IDisposable
{
    private static readonly TimeSpan _brief = TimeSpan.FromMilliseconds(1);

    private readonly UnixFrameLink _link;
    private readonly Action<JsonElement> _onEvent;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> _pending = new();
    private readonly Lock _receiving = new(); // events are handed on in order, whoever took them
    private long _nextId;
    private int _waitingBriefly;
    private volatile bool _closed;

    public LauncherLink(Reactor reactor, SafeFileHandle socket, Action<JsonElement> onEvent)
    {
        _link = new UnixFrameLink(reactor, socket);
        _onEvent = onEvent;
        Closed = Task.Run(ReceiveAllAsync);
    }

    /// <summary>Completes when the launcher is gone; never faults.</summary>
    public Task Closed { get; }

    /// <summary>Sends a request and returns its answer. Throws <see cref="LauncherRefusedException"/> for a refusal and <see cref="CellGoneException"/> when the launcher is gone.</summary>
    /// <param name="operation">What is asked.</param>
    /// <param name="writeFields">Writes the request's fields.</param>
    /// <param name="descriptors">Sent along.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <param name="briefly">Whether this thread first waits for the answer itself, see <see cref="WaitBriefly"/>.</param>
    public async Task<JsonElement> AskAsync(
        string operation, Action<Utf8JsonWriter> writeFields, SafeFileHandle[] descriptors, CancellationToken cancellationToken, bool briefly = false)
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

            if (briefly)
            {
                WaitBriefly(answer.Task);
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
            while (TakeAll() && await _link.WaitReadableAsync(CancellationToken.None))
            {
                // What came may have been taken by a thread that waits for its answer.
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

    /// <summary>
    /// Holds this thread until the answer is there, for a millisecond at most. It gives way once, to the launcher, which the kernel likes to wake on the
    /// processor that asked. Then it keeps its own: a kill is asked for, and whoever gets a processor beside a dying process may wait for as long as that
    /// takes to give back its memory.
    /// </summary>
    private void WaitBriefly(Task answer)
    {
        if (Environment.ProcessorCount == 1 || Interlocked.Exchange(ref _waitingBriefly, 1) == 1)
        {
            return;
        }

        try
        {
            var started = Stopwatch.GetTimestamp();
            Thread.Yield();
            while (TakeAll() && !answer.IsCompleted && Stopwatch.GetElapsedTime(started) < _brief)
            {
                Thread.SpinWait(20);
            }
        }
        finally
        {
            Volatile.Write(ref _waitingBriefly, 0);
        }
    }

    /// <summary>Hands on what has come. False when nothing will come any more.</summary>
    private bool TakeAll()
    {
        lock (_receiving)
        {
            try
            {
                while (_link.TryReceive(out var received))
                {
                    if (received is not { } frame)
                    {
                        return false;
                    }

                    // No answer carries a descriptor in this generation.
                    frame.Descriptor?.Dispose();
                    using var document = JsonDocument.Parse(frame.Body);
                    Dispatch(document.RootElement.Clone());
                }

                return true;
            }
            catch (Exception error) when (error is FrameException or JsonException or CellGoneException or KeyNotFoundException or InvalidOperationException)
            {
                // The launcher is trusted code: what it sends is well formed unless it is dying. Either way it is of no use any more.
                _link.Dispose();
                return false;
            }
        }
    }

    private void Dispatch(JsonElement message)
    {
        if (message.TryGetProperty("event", out _))
        {
            _onEvent(message);
        }
        else if (_pending.TryRemove(message.GetProperty("id").GetInt64(), out var answer))
        {
            if (message.GetProperty("ok").GetBoolean())
            {
                answer.TrySetResult(message);
            }
            else
            {
                answer.TrySetException(new LauncherRefusedException(
                    message.GetProperty("code").GetString() ?? "", message.GetProperty("message").GetString() ?? ""));
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
