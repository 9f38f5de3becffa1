using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The route of terminals: a WebSocket whose first text message says what is to run. README.md has the messages.</summary>
internal static class NativeTerminals
{
    /// <summary>How long a caller may take to say what it wants.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    /// <summary>Pings keep the ways between open, and find those that are broken. A pong is not demanded: who does not read for a while has paused, not left.</summary>
    private static readonly TimeSpan _ping = TimeSpan.FromSeconds(20);

    public static void Map(Routes routes) => routes.Get("/v1/sandboxes/{sandbox}/terminals", new Operation("openTerminal", "Opens an interactive terminal over a WebSocket.")
    {
        Needs = Scopes.Write,
        Starts = true,
        Endless = true,
        Description = "The first text message is a TerminalRequest. Binary messages are the terminal's bytes, both ways; text messages are TerminalMessage objects: resize inwards; started or error, and exit outwards.",
        Status = StatusCodes.Status101SwitchingProtocols,
    }, ServeAsync);

    private static async Task ServeAsync(HttpContext context)
    {
        // Before the upgrade, while there still is a status to say it with.
        var sandbox = await context.Cove().GetSandboxAsync(Sandbox(context), context.RequestAborted);
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            await Problems.WriteAsync(
                context, Problems.Request("websocket_required", "A terminal is opened by a WebSocket upgrade.", "Connect with a WebSocket client (ws:// or wss://)."), StatusCodes.Status426UpgradeRequired);
            return;
        }

        ReadingPace.Set(context, null); // who pauses a terminal for an hour has not left it; what waits is 100 KiB
        using var line = new TerminalSocket(await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext { KeepAliveInterval = _ping }));
        try
        {
            if (await OpenAsync(context, sandbox.Id, line) is { } terminal)
            {
                await using (terminal)
                {
                    await CarryAsync(terminal, line, context.RequestAborted);
                }
            }
        }
        catch (Exception failure) when (failure is WebSocketException or OperationCanceledException or IOException)
        {
            // Hung up without a word, or too slow to say what was wanted: the terminal is closed, and nobody is left to be told.
        }
    }

    private static async Task<Terminal?> OpenAsync(HttpContext context, SandboxId sandbox, TerminalSocket line)
    {
        using var patience = new CancellationTokenSource(_patience);
        ReadOnlyMemory<byte> first = default;
        try
        {
            first = await line.ReceiveFirstAsync(patience.Token);
            var request = JsonSerializer.Deserialize(first.Span, CoveJson.Wire.TerminalRequest) ?? throw new JsonException("The message is null.");
            var terminal = await context.Cove().OpenTerminalAsync(sandbox, request, context.RequestAborted);
            await line.SendAsync(new TerminalMessage { Type = "started" });
            return terminal;
        }
        catch (JsonException failure)
        {
            var (message, fix) = JsonFaults.Explain("The first message", failure, CoveJson.Wire.TerminalRequest, first.Span);
            await line.RefuseAsync(Problems.Request("bad_json", message, $"{fix} Send a TerminalRequest as one text message, for example {{}}."));
        }
        catch (CoveException failure)
        {
            await line.RefuseAsync(failure.Error);
        }

        return null;
    }

    /// <summary>Until the terminal has ended or the caller has gone. A slow reader is waited for, and its terminal waits with it.</summary>
    private static async Task CarryAsync(Terminal terminal, TerminalSocket line, CancellationToken hungUp)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(hungUp);
        var typing = line.TypeAsync(terminal, ended.Token);
        var showing = ShowAsync(terminal, line, ended.Token);
        try
        {
            if (await Task.WhenAny(typing, showing) == typing)
            {
                var (status, reason) = await typing;
                await line.CloseAsync(status, reason);
                return;
            }

            await showing;
            await line.SendAsync(new TerminalMessage { Type = "exit", ExitCode = await terminal.ExitCode });
            await line.CloseAsync(WebSocketCloseStatus.NormalClosure, "the terminal has ended", typing);
        }
        finally
        {
            await ended.CancelAsync();
            if (!typing.IsCompleted)
            {
                line.Abort(); // what else would end it is a word from a caller that says none
            }

            await Task.WhenAll(typing, showing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task ShowAsync(Terminal terminal, TerminalSocket line, CancellationToken ended)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(32 << 10);
        try
        {
            int count;
            while ((count = await terminal.ReadAsync(buffer, ended)) > 0)
            {
                await line.SendAsync(buffer.AsMemory(0, count), ended);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
