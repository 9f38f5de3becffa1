using Cove.Server.Hosting;

namespace Cove.Server.Access;

/// <summary>Why somebody is not let in, or not for this; and what to do about it.</summary>
internal static class AccessErrors
{
    public static RunError KeyMissing { get; } = Error("key_missing", ErrorCategory.Request, "This server wants an API key.", "Send it as 'X-API-Key: cove_…' or 'Authorization: Bearer cove_…'; 'cove keys create' makes one.");

    /// <summary>One answer for the malformed, the unknown, the wrong, the expired and the revoked: which it was is told in the audit log.</summary>
    public static RunError KeyRefused { get; } = Error("key_refused", ErrorCategory.Request, "The API key is not valid.", "Check it against 'cove keys list' (it may be expired or revoked), or make another with 'cove keys create'.");

    public static RunError TooManyFailures { get; } = Error("too_many_failures", ErrorCategory.Limit, "Too many requests from this address had no valid key.", "Wait as Retry-After says, then send a valid key.") with { Retryable = true };

    public static RunError Closed(string path) => Error("route_closed", ErrorCategory.Request, $"The route {path} is not offered here.", "Use the routes of the API description.");

    public static RunError ScopeMissing(Scopes needed, Scopes has)
    {
        var names = string.Join("' and '", KeyDesk.ScopeNames((long)(needed & ~has)));
        var scopes = string.Concat(KeyDesk.ScopeNames((long)(needed | has)).Select(name => " --scope " + name));
        return Error("scope_missing", ErrorCategory.Request, $"The API key lacks the scope '{names}'.", $"Use a key with it: cove keys create{scopes}");
    }

    public static CoveException Invalid(string option, string? value, string fix) => new(Error(
        "invalid_option", ErrorCategory.Request, $"The option '{option}' is '{Shown(value)}', which is not acceptable.", $"Give {fix}."));

    public static CoveException UnknownKey(string id) => new(Error("unknown_key", ErrorCategory.NotFound, $"There is no key '{Shown(id)}'.", "'cove keys list' shows the ids of all keys."));

    public static CoveException UnknownProject(string name) => new(Error("unknown_project", ErrorCategory.NotFound, $"There is no project '{Shown(name)}'.", "'cove keys create --project NAME' makes one; 'cove project list' shows those there are."));

    public static CoveException KeysNeeded(string address, string place) => new(Error(
        "keys_needed", ErrorCategory.Request, $"The server shall listen at {address}, which others can reach, and there is no API key in {place}.", "Make one first: cove keys create --name NAME (with the same --data or --database), or listen on 127.0.0.1 alone."));

    public static CoveException AnonymousNotLocal(string address) => new(Error(
        "anonymous_not_local", ErrorCategory.Request, $"--allow-anonymous lets everybody in, and {address} can be reached by others.", "Leave it out and use API keys, or listen on 127.0.0.1 alone."));

    private static RunError Error(string code, ErrorCategory category, string message, string remediation) => new()
    {
        Code = code,
        Category = category,
        Retryable = false,
        Message = message,
        Remediation = remediation,
    };

    private static string Shown(string? value) => value is null ? "null" : string.Concat(value.Take(80).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}
