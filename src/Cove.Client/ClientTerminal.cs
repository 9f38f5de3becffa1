using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cove.Wire;

namespace Cove.Client;

/// <summary>A terminal over a WebSocket. At most 64 KiB of its output wait here for a reader; the rest waits in the sandbox.</summary>
internal sealed class ClientTerminal : Terminal
{
    private const int HeldBytes = 64 << 10;
    private const int PieceBytes = 32 << 10;
    private const int MaxMessageBytes = 1 << 20;

    private static readonly TimeSpan _farewell = TimeSpan.FromSeconds(5);

    private readonly WebSocket _socket;
    private readonly Pipe _output = new(new PipeOptions(pauseWriterThreshold: HeldBytes, resumeWriterThreshold: HeldBytes / 2, useSynchronizationContext: false));
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly TaskCompletionSource<int?> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _receiving;
    private int _disposed;

    private ClientTerminal(WebSocket socket)
    {
        _socket = socket;
        _receiving = ReceiveAllAsync();
    }

    public override Task<int?> ExitCode => _exit.Task;

    public static async Task<Terminal> OpenAsync(WebSocket socket, TerminalRequest request, string address, CancellationToken cancellationToken)
    {
        try
        {
            await socket.SendAsync(Json(request, CoveJson.Wire.TerminalRequest), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
            var buffer = new byte[MaxMessageBytes];
            var length = 0;
            ValueWebSocketReceiveResult piece;
            do
            {
                piece = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
                length += piece.Count;
            }
            while (!piece.EndOfMessage && length < buffer.Length);
            return Read(piece.MessageType, buffer.AsSpan(0, length)) switch
            {
                { Type: "started" } => new ClientTerminal(socket),
                { Problem: { } problem } => throw new CoveException(problem.ToError()),
                _ => throw Failures.BadAnswer(address, new InvalidDataException("it said nothing about the terminal")),
            };
        }
        catch (JsonException failure)
        {
            throw Failures.BadAnswer(address, failure);
        }
        catch (WebSocketException failure)
        {
            throw Failures.Unreachable(address, failure);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        if (Volatile.Read(ref _disposed) == 1)
        {
            return 0;
        }

        var read = await _output.Reader.ReadAsync(cancellationToken);
        var taken = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, buffer.Length));
        var span = buffer.Span;
        foreach (var piece in taken)
        {
            piece.Span.CopyTo(span);
            span = span[piece.Length..];
        }

        _output.Reader.AdvanceTo(taken.End);
        return (int)taken.Length;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> input, CancellationToken cancellationToken = default)
    {
        // Sent from a copy: a send that was begun cannot be cancelled without losing the connection, and the caller's buffer may be gone by then.
        for (var rest = input; !rest.IsEmpty; rest = rest[Math.Min(PieceBytes, rest.Length)..])
        {
            await SendAsync(rest[..Math.Min(PieceBytes, rest.Length)].ToArray(), WebSocketMessageType.Binary, cancellationToken);
        }
    }

    public override ValueTask ResizeAsync(int columns, int rows, CancellationToken cancellationToken = default)
    {
        Check("columns", columns);
        Check("rows", rows);
        var message = new TerminalMessage { Type = "resize", Columns = columns, Rows = rows };
        return new(SendAsync(Json(message, CoveJson.Wire.TerminalMessage), WebSocketMessageType.Text, cancellationToken));
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        // Neither a reader nor the other end's output is waited for any more.
        _output.Reader.CancelPendingRead();
        _output.Writer.CancelPendingFlush();
        await SayGoodbyeAsync();
        _socket.Abort();
        _socket.Dispose();
        await _receiving;
    }

    private async Task SayGoodbyeAsync()
    {
        // Something typed that is not taken: then there is no room for a goodbye either.
        if (!await _sending.WaitAsync(TimeSpan.Zero))
        {
            return;
        }

        try
        {
            using var limit = new CancellationTokenSource(_farewell);
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
            await _receiving.WaitAsync(limit.Token);
        }
        catch (Exception failure) when (failure is WebSocketException or OperationCanceledException or InvalidOperationException)
        {
            // The connection is gone, or does not answer: without it the other end closes the terminal just the same.
        }
        finally
        {
            _sending.Release();
        }
    }

    private static byte[] Json<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    private static TerminalMessage? Read(WebSocketMessageType type, ReadOnlySpan<byte> text) =>
        type == WebSocketMessageType.Text ? JsonSerializer.Deserialize(text, CoveJson.Wire.TerminalMessage) : null;

    private static void Check(string field, int value)
    {
        if (value is < 1 or > 1000)
        {
            throw Failures.OutOfRange(field, value, "1 to 1,000");
        }
    }

    private async Task SendAsync(byte[] message, WebSocketMessageType type, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        var sending = SendAndReleaseAsync(message, type);
        await sending.WaitAsync(cancellationToken);
    }

    private async Task SendAndReleaseAsync(byte[] message, WebSocketMessageType type)
    {
        try
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) == 1, this);
            await _socket.SendAsync(message, type, endOfMessage: true, CancellationToken.None);
        }
        catch (Exception failure) when (failure is WebSocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            throw Failures.TerminalEnded(failure);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task ReceiveAllAsync()
    {
        int? exit = null;
        try
        {
            exit = await ReceiveToExitAsync();
        }
        catch (Exception failure) when (failure is WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException or JsonException)
        {
            // The connection broke, or was aborted here: nobody saw how the command ended.
        }
        finally
        {
            await _output.Writer.CompleteAsync();
            _exit.TrySetResult(exit);
        }
    }

    private async Task<int?> ReceiveToExitAsync()
    {
        int? exit = null;
        while (true)
        {
            var buffer = _output.Writer.GetMemory(PieceBytes);
            var piece = await _socket.ReceiveAsync(buffer, CancellationToken.None);
            if (piece.MessageType == WebSocketMessageType.Close)
            {
                await AnswerCloseAsync();
                return exit;
            }

            if (piece.MessageType == WebSocketMessageType.Text)
            {
                exit = await ReceiveExitAsync(buffer, piece) ?? exit;
            }
            else if (Volatile.Read(ref _disposed) == 0)
            {
                _output.Writer.Advance(piece.Count);
                await _output.Writer.FlushAsync();
            }
        }
    }

    /// <summary>The rest of a text message, which may come in pieces; the exit code when it is an <c>exit</c>.</summary>
    private async Task<int?> ReceiveExitAsync(Memory<byte> buffer, ValueWebSocketReceiveResult piece)
    {
        var length = piece.Count;
        while (!piece.EndOfMessage && length < buffer.Length)
        {
            piece = await _socket.ReceiveAsync(buffer[length..], CancellationToken.None);
            length += piece.Count;
        }

        return Read(WebSocketMessageType.Text, buffer.Span[..length]) is { Type: "exit" } end ? end.ExitCode : null;
    }

    private async Task AnswerCloseAsync()
    {
        if (Volatile.Read(ref _disposed) == 0)
        {
            await _sending.WaitAsync();
            try
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
            }
            finally
            {
                _sending.Release();
            }
        }
    }
}
