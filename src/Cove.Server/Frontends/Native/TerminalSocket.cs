using System.Net.WebSockets;
using System.Text.Json;
using Cove.Wire;

namespace Cove.Server.Frontends.Native;

/// <summary>The caller's end of a terminal: messages of bounded length, bytes passed on as they come.</summary>
internal sealed class TerminalSocket(WebSocket socket) : IDisposable
{
    /// <summary>A request holds arguments and variables; what the engine takes of them fits.</summary>
    private const int MaxRequestBytes = 1 << 20;

    private const int MaxControlBytes = 4 << 10;
    private const int PieceBytes = 16 << 10;

    private static readonly TimeSpan _farewell = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _sending = new(1, 1);

    /// <summary>The first message, which must be text.</summary>
    public async Task<ReadOnlyMemory<byte>> ReceiveFirstAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        var length = 0;
        while (true)
        {
            var piece = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            length += piece.Count;
            if (piece.MessageType != WebSocketMessageType.Text)
            {
                throw new JsonException("it is no text message.");
            }

            if (piece.EndOfMessage)
            {
                return buffer.AsMemory(0, length);
            }

            if (length == MaxRequestBytes)
            {
                throw new JsonException($"it is longer than {MaxRequestBytes:N0} bytes.");
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
    }

    /// <summary>Types what comes into the terminal, until the caller closes or says what is no message; returns what to answer to that.</summary>
    public async Task<(WebSocketCloseStatus Status, string Reason)> TypeAsync(Terminal terminal, CancellationToken cancellationToken)
    {
        var buffer = new byte[PieceBytes];
        var held = 0;
        while (true)
        {
            // A token would end the whole connection, so none is given: closing or aborting the socket ends this wait.
            var piece = await socket.ReceiveAsync(buffer.AsMemory(held), CancellationToken.None);
            switch (piece.MessageType)
            {
                case WebSocketMessageType.Close:
                    return (WebSocketCloseStatus.NormalClosure, "");
                case WebSocketMessageType.Binary:
                    await TypeAsync(terminal, buffer.AsMemory(0, piece.Count), cancellationToken);
                    continue;
            }

            held += piece.Count;
            if (held > MaxControlBytes)
            {
                return (WebSocketCloseStatus.MessageTooBig, $"a text message has at most {MaxControlBytes} bytes");
            }

            if (piece.EndOfMessage)
            {
                if (!await ObeyAsync(terminal, buffer.AsMemory(0, held)))
                {
                    return (WebSocketCloseStatus.InvalidPayloadData, "a text message is {\"type\":\"resize\",\"columns\":1-1000,\"rows\":1-1000}");
                }

                held = 0;
            }
        }
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }

    public async Task SendAsync(TerminalMessage message)
    {
        await _sending.WaitAsync();
        try
        {
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, CoveJson.Wire.TerminalMessage), WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }
    }

    public async Task RefuseAsync(RunError error)
    {
        await SendAsync(new TerminalMessage { Type = "error", Problem = Problem.From(error, Hosting.Problems.StatusOf(error)) });
        using var limit = new CancellationTokenSource(_farewell);
        await socket.CloseAsync(WebSocketCloseStatus.PolicyViolation, error.Code, limit.Token);
    }

    /// <summary>Says goodbye, and waits a while for the answer, which <paramref name="receiving"/> reads where it still does.</summary>
    public async Task CloseAsync(WebSocketCloseStatus status, string reason, Task? receiving = null)
    {
        using var limit = new CancellationTokenSource(_farewell);
        if (receiving is null)
        {
            await socket.CloseAsync(status, reason, limit.Token);
            return;
        }

        await socket.CloseOutputAsync(status, reason, limit.Token);
        await receiving.WaitAsync(limit.Token);
    }

    public void Abort() => socket.Abort();

    public void Dispose()
    {
        socket.Dispose();
        _sending.Dispose();
    }

    private static async Task TypeAsync(Terminal terminal, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await terminal.WriteAsync(bytes, cancellationToken);
        }
        catch (CoveException)
        {
            // The terminal has ended; its exit is being told.
        }
    }

    private static async Task<bool> ObeyAsync(Terminal terminal, ReadOnlyMemory<byte> text)
    {
        try
        {
            if (JsonSerializer.Deserialize(text.Span, CoveJson.Wire.TerminalMessage) is not { Type: "resize", Columns: { } columns, Rows: { } rows })
            {
                return false;
            }

            await terminal.ResizeAsync(columns, rows);
            return true;
        }
        catch (Exception failure) when (failure is JsonException or CoveException)
        {
            return false;
        }
    }
}
