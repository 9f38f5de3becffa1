namespace Cove.ScriptedModel.Scripts;

/// <summary>Reads what goes wrong before an answer is given.</summary>
internal static class FaultReader
{
    /// <summary>The API's errors and their status codes.</summary>
    public static readonly IReadOnlyDictionary<string, (int Status, string Message)> Errors = new Dictionary<string, (int, string)>(StringComparer.Ordinal)
    {
        ["invalid_request_error"] = (400, "The request is invalid."),
        ["authentication_error"] = (401, "invalid x-api-key"),
        ["billing_error"] = (402, "Your credit balance is too low to access the API."),
        ["permission_error"] = (403, "Your API key does not have permission to use the specified resource."),
        ["not_found_error"] = (404, "The requested resource could not be found."),
        ["conflict_error"] = (409, "The request conflicts with the current state of the resource."),
        ["request_too_large"] = (413, "Request exceeds the maximum allowed number of bytes."),
        ["rate_limit_error"] = (429, "This request would exceed your account's rate limit. Please try again later."),
        ["api_error"] = (500, "Internal server error"),
        ["timeout_error"] = (504, "The request timed out."),
        ["overloaded_error"] = (529, "Overloaded"),
    };

    private static readonly string[] Places = ["before_headers", "after_headers", "mid_block", "before_end"];

    public static Fault Read(YamlMap map)
    {
        string[] kinds = ["error", "drop", "hang", "malformed"];
        var named = kinds.Where(map.Has).ToArray();
        if (named.Length != 1)
        {
            throw map.Wrong(map.Line, $"The fault names {named.Length} things that go wrong.", $"Write one of: {string.Join(", ", kinds)}.");
        }

        var fault = named[0] switch
        {
            "error" => Error(map),
            "drop" => new Fault { Kind = FaultKind.Drop, Place = Place(map, "drop") },
            "hang" => new Fault { Kind = FaultKind.Hang, Place = Place(map, "hang") },
            _ => new Fault { Kind = FaultKind.Malformed, Message = map.OneOf("malformed", "json", "sse", "html")! },
        };
        fault = fault with { Times = Times(map) };
        map.Close();
        return fault;
    }

    private static Fault Error(YamlMap map)
    {
        var type = map.RequiredText("error");
        if (!Errors.TryGetValue(type, out var usual) && !map.Has("status"))
        {
            throw map.Wrong("error", $"error is \"{type}\".", $"Write one of: {string.Join(", ", Errors.Keys)}; or another word with a status.");
        }

        return new Fault
        {
            Kind = FaultKind.Error,
            ErrorType = type,
            Status = map.Number("status", 400, 599) ?? usual.Status,
            Message = map.Text("message") ?? usual.Message ?? type,
            ErrorCode = map.Text("error_code"),
            RetryAfter = map.Text("retry_after"),
            Place = map.Has("at") ? Place(map, "at") : FaultPlace.BeforeHeaders,
        };
    }

    private static FaultPlace Place(YamlMap map, string key) => (FaultPlace)Array.IndexOf(Places, map.OneOf(key, Places));

    private static int? Times(YamlMap map) => map.Text("times") is "always" ? null : map.Number("times", 1, 1000) ?? 1;
}
