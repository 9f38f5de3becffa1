using Cove.Server.Bounds;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Hosting;

/// <summary>
/// Who asks, and the Cove that is theirs. Front-ends reach sandboxes only through <see cref="Cove"/>, which holds no sandbox of another project:
/// a route cannot forget the check, because it has nothing else to call.
/// </summary>
internal sealed record Caller
{
    /// <summary>The project everything the caller makes belongs to.</summary>
    public required string Project { get; init; }

    /// <summary>What the caller may do.</summary>
    public required Scopes Scopes { get; init; }

    /// <summary>The id of the key it came with; null for the owner of the machine (a Unix socket, or anonymous on loopback).</summary>
    public string? Key { get; init; }

    /// <summary>What of this server's memory its project may fill with bodies and answers; null for the owner of the machine.</summary>
    public HeldShare? Held { get; init; }

    /// <summary>The clock by which it is served. (Asked of the services, it would cost each request a scope of its own.) Default: the machine's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The caller's own view of the engine.</summary>
    public required ICove Cove { get; init; }
}

/// <summary>What a key allows.</summary>
[Flags]
internal enum Scopes
{
    /// <summary>Nothing but what needs no key.</summary>
    None = 0,

    /// <summary>Look at sandboxes, runs, files and usage.</summary>
    Read = 1,

    /// <summary>Create sandboxes, run code, change files, end what was made.</summary>
    Write = 2,

    /// <summary>Call the tools that the server's files declare, with the server's own credentials.</summary>
    Tools = 4,

    /// <summary>What a key has that was made without a word about it: a declared tool acts with credentials that are not its caller's.</summary>
    Usual = Read | Write,

    /// <summary>Everything.</summary>
    All = Read | Write | Tools,
}

internal static class CallerExtensions
{
    /// <summary>Whether what needs these changes something, here or at the other side of a tool.</summary>
    public static bool Change(this Scopes needed) => (needed & (Scopes.Write | Scopes.Tools)) != Scopes.None;

    /// <summary>Who asks; set before any front-end is reached.</summary>
    public static Caller Caller(this HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("A front-end was reached by a request nobody has vouched for.");

    /// <summary>The caller's own view of the engine.</summary>
    public static ICove Cove(this HttpContext context) => context.Caller().Cove;
}
