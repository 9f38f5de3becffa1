using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cove.Server.Hosting;

/// <summary>Maps the routes of front-ends: each with its <see cref="Operation"/>, each counted as work while it is served, and refused when it begins something while no more is taken. Handlers are plain delegates; nothing is generated or reflected over at start-up.</summary>
internal sealed class Routes(IEndpointRouteBuilder routes, ILife life)
{
    /// <summary>What the pages before routing answer.</summary>
    private readonly HashSet<string> _begun = new(StringComparer.OrdinalIgnoreCase) { "health", "healthz", "readyz", "metrics" };

    /// <summary>Whether no route yet begins as this one does: a path of somebody else's choice shall neither take nor seem one of ours.</summary>
    public bool IsFree(string pattern) => !_begun.Contains(First(pattern));

    public void Get(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Get, pattern, operation, handle);

    public void Head(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Head, pattern, operation, handle);

    public void Post(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Post, pattern, operation, handle);

    public void Put(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Put, pattern, operation, handle);

    public void Patch(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Patch, pattern, operation, handle);

    public void Delete(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Delete, pattern, operation, handle);

    private void Map(string method, string pattern, Operation operation, RequestDelegate handle)
    {
        if (!operation.IsDeclared)
        {
            _begun.Add(First(pattern));
        }

        routes.MapMethods(pattern, [method], Counted(operation, pattern.StartsWith("/v1/", StringComparison.Ordinal) ? Strict(operation, handle) : handle)).WithMetadata(operation);
    }

    private static string First(string pattern) => pattern.Split('/', 3) is [_, var first, ..] ? first : "";

    /// <summary>A misspelt parameter of the native API is refused like a misspelt field: a filter that is not there would let everything through.</summary>
    private static RequestDelegate Strict(Operation operation, RequestDelegate handle) => context =>
    {
        if (context.Request.QueryString.HasValue && context.Request.Query.Keys.FirstOrDefault(name => !operation.Query.Any(parameter => parameter.Takes(name))) is { } unknown)
        {
            var known = operation.Query.Count == 0 ? "none" : string.Join(", ", operation.Query.Select(parameter => parameter.Name));
            throw Problems.Bad("invalid_request", $"There is no query parameter '{(unknown.Length <= 100 ? unknown : unknown[..100] + "…")}' here.", $"Known here: {known}.");
        }

        return handle(context);
    };

    private RequestDelegate Counted(Operation operation, RequestDelegate handle) => async context =>
    {
        // Counted first and asked then: whoever looks whether anything is in progress after it began to refuse misses nothing.
        using var work = life.Enter(operation);
        if (operation.Starts && life.Refusal is { } refusal)
        {
            throw new CoveException(refusal);
        }

        await handle(context);
    };
}
