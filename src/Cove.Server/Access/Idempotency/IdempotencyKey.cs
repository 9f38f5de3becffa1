using Cove.Server.Hosting;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Access.Idempotency;

/// <summary>The header by which a request that is sent twice happens once.</summary>
internal static class IdempotencyKey
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";
    public const int MaximumLength = 255;

    /// <summary>Declared by the operations that honour it.</summary>
    public static Parameter Parameter { get; } = new(Header, "Any 1 to 255 visible ASCII characters. The same request sent again with the same key within 24 hours is answered as the first was, with Idempotency-Replayed: true.");

    /// <summary>The request's key; null when it has none, or its operation does not take one.</summary>
    public static string? Of(HttpRequest request, Operation operation)
    {
        if (!request.Headers.TryGetValue(Header, out var values) || !operation.Headers.Contains(Parameter))
        {
            return null;
        }

        return values is [{ Length: >= 1 and <= MaximumLength } key] && key.All(static c => c is > ' ' and <= '~')
            ? key
            : throw Problems.Bad("invalid_request", $"The header '{Header}' is given twice, empty, too long or not plain text.", $"Give it once: 1 to {MaximumLength} visible ASCII characters, for example a UUID.");
    }
}
