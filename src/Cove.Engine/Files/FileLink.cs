using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cove.Engine.Guest;
using Cove.Engine.Isolation;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Files;

/// <summary>
/// Speaks with one file worker: requests are numbered and may overlap, answers are matched by number. A worker that says
/// anything unexpected is not spoken to again.
/// </summary>
internal sealed class FileLink : IDisposable
{
    /// <summary>Pages one answer may have; at most 10,000 entries are asked for.</summary>
    private const int MaxPages = 10_000;

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonDocumentOptions ReaderOptions = new() { MaxDepth = Frames.MaxDepth };

    private readonly IFrameLink _link;
    private readonly Lock _lock = new();
    private readonly FifoGate _sending;
    private readonly TimeProvider _time;
    private readonly Dictionary<int, Call> _calls = [];
    private string? _broken;
    private int _lastId;

    public FileLink(IFrameLink link, TimeProvider time)
    {
        _time = time;
        _sending = new FifoGate(1, time);
        _link = link;
        _ = ReceiveAllAsync();
    }

    /// <summary>Why the worker is not spoken to any more; null while it is.</summary>
    public string? Broken
    {
        get
        {
            lock (_lock)
            {
                return _broken;
            }
        }
    }

    /// <summary>Sends one request and waits for its whole answer. Throws <see cref="FileWorkerLostException"/> when the worker is lost.</summary>
    public async Task<FileReply> CallAsync(string operation, Action<Utf8JsonWriter> fields, TimeSpan limit, CancellationToken cancellationToken)
    {
        var call = new Call();
        var id = Register(call);
        try
        {
            await SendAsync(Request(id, operation, fields), limit, cancellationToken);
            return await call.Answer.Task.WaitAsync(limit, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            Break($"no answer to '{operation}' within {limit.TotalSeconds:0} s");
            throw new FileWorkerLostException(Broken!);
        }
        catch (CellGoneException exception)
        {
            Break(exception.Message);
            throw new FileWorkerLostException(exception.Message);
        }
        finally
        {
            Forget(id, call);
        }
    }

    public void Dispose() => Break("the sandbox ended");

    private int Register(Call call)
    {
        lock (_lock)
        {
            if (_broken is not null)
            {
                throw new FileWorkerLostException(_broken);
            }

            _calls.Add(++_lastId, call);
            return _lastId;
        }
    }

    /// <summary>An answer that nobody waits for any more is dropped when it comes, its descriptor closed.</summary>
    private void Forget(int id, Call call)
    {
        lock (_lock)
        {
            if (call.Answer.Task.IsCompleted)
            {
                _calls.Remove(id);
            }
            else
            {
                call.Abandoned = true;
            }
        }
    }

    private async Task SendAsync(ReadOnlyMemory<byte> body, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (!await _sending.EnterAsync(limit, cancellationToken))
        {
            throw new TimeoutException();
        }

        try
        {
            await _link.SendAsync(body, null, CancellationToken.None).AsTask().WaitAsync(limit, _time, cancellationToken);
        }
        finally
        {
            _sending.Leave();
        }
    }

    private static ReadOnlyMemory<byte> Request(int id, string operation, Action<Utf8JsonWriter> fields)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("t"u8, "file"u8);
        writer.WriteNumber("id"u8, id);
        writer.WriteString("op"u8, operation);
        fields(writer);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private async Task ReceiveAllAsync()
    {
        try
        {
            while (await _link.ReceiveAsync(CancellationToken.None) is { } frame)
            {
                if (!Accept(frame))
                {
                    Break("the file worker sent what is no answer");
                    return;
                }
            }

            Break("the file worker ended");
        }
        catch (Exception exception)
        {
            // Whatever went wrong, those who wait must hear of it.
            Break(exception.Message);
        }
    }

    private bool Accept(ReceivedFrame frame)
    {
        try
        {
            using var document = JsonDocument.Parse(frame.Body, ReaderOptions);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || root.Text("t") != "file" || root.Number("id") is not { } id)
            {
                frame.Descriptor?.Dispose();
                return false;
            }

            return Answer((int)id, root.Clone(), frame.Descriptor);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            frame.Descriptor?.Dispose();
            return false;
        }
    }

    private bool Answer(int id, JsonElement page, SafeFileHandle? descriptor)
    {
        lock (_lock)
        {
            if (!_calls.TryGetValue(id, out var call) || call.Pages.Count == MaxPages)
            {
                descriptor?.Dispose();
                return false;
            }

            call.Pages.Add(page);
            if (page.Flag("more"))
            {
                descriptor?.Dispose();
                return descriptor is null;
            }

            _calls.Remove(id);
            if (call.Abandoned || !call.Answer.TrySetResult(new FileReply(call.Pages, descriptor)))
            {
                descriptor?.Dispose();
            }

            return true;
        }
    }

    private void Break(string reason)
    {
        Call[] calls;
        lock (_lock)
        {
            _broken ??= reason;
            calls = [.. _calls.Values];
            _calls.Clear();
        }

        _link.Dispose();
        foreach (var call in calls)
        {
            call.Answer.TrySetException(new FileWorkerLostException(reason));
            _ = call.Answer.Task.Exception; // an abandoned call has nobody to observe it
        }
    }

    private sealed class Call
    {
        public TaskCompletionSource<FileReply> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<JsonElement> Pages { get; } = [];

        public bool Abandoned { get; set; }
    }
}

/// <summary>The file worker died, hung or lied; a fresh one may do better.</summary>
internal sealed class FileWorkerLostException(string message) : Exception(message);
