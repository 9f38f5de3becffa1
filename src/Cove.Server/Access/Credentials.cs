using Microsoft.AspNetCore.Http;

namespace Cove.Server.Access;

/// <summary>The key a request came with.</summary>
internal static class Credentials
{
    public const string Header = "X-API-Key";
    private const string Bearer = "Bearer ";

    /// <summary>
    /// What is in <c>X-API-Key</c>, else the bearer token of <c>Authorization</c>. When the first is there the second belongs to the platform in
    /// front and is not looked at. Null: there is none. Several of one kind are no key: which of them counts must not be a matter of taste.
    /// </summary>
    public static string? Of(HttpRequest request)
    {
        if (request.Headers.TryGetValue(Header, out var keys))
        {
            return keys is [{ } key] ? key.Trim() : "";
        }

        return request.Headers.Authorization switch
        {
            [] => null,
            [{ } value] when value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) => value[Bearer.Length..].Trim(),
            _ => "",
        };
    }
}
