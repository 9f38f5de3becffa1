using Cove.Server.Hosting;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Bounds;

/// <summary>An answer that lies whole in memory until its caller has read it: in pieces, counted against what the server holds, and not for ever.</summary>
internal static class HeldAnswer
{
    /// <summary>Up to this much is not counted: what is in a connection's own buffers anyway.</summary>
    public const int FreeBytes = 64 << 10;

    public static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> answer, CancellationToken cancellationToken)
    {
        if (answer.Length <= FreeBytes)
        {
            await context.Response.Body.WriteAsync(answer, cancellationToken);
            return;
        }

        using var held = Hold(context, answer.Length);
        while (answer.Length > 0)
        {
            // A write copies what it is given: in pieces, so that the whole is there once.
            var piece = answer[..Math.Min(FreeBytes, answer.Length)];
            await context.Response.Body.WriteAsync(piece, cancellationToken);
            answer = answer[piece.Length..];
        }
    }

    /// <summary>Takes room for an answer; throws when there is none.</summary>
    private static HeldBytes? Hold(HttpContext context, long bytes)
    {
        ReadingPace.ForHeld(context, bytes);
        if (context.Features.Get<Caller>()?.Held is not { } share)
        {
            return null;
        }

        var held = new HeldBytes(share);
        held.Grow(bytes * HeldMemory.Weight);
        return held;
    }

    /// <summary>Takes room for what is written and not yet sent; false when there is none.</summary>
    public static bool TryHold(HttpContext context, long bytes, out HeldBytes? held)
    {
        held = null;
        if (bytes <= FreeBytes * 2 || context.Features.Get<Caller>()?.Held is not { } share)
        {
            return true;
        }

        ReadingPace.ForHeld(context, bytes);
        held = new HeldBytes(share);
        return held.TryGrow(bytes * HeldMemory.Weight);
    }
}
