using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cove.Server.Hosting;

/// <summary>Maps the routes of front-ends: each with its <see cref="Operation"/>, each counted as work while it is served. Handlers are plain delegates; nothing is generated or reflected over at start-up.</summary>
internal sealed class Routes(IEndpointRouteBuilder routes, EngineLife life)
{
    public void Get(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Get, pattern, operation, handle);

    public void Head(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Head, pattern, operation, handle);

    public void Post(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Post, pattern, operation, handle);

    public void Put(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Put, pattern, operation, handle);

    public void Patch(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Patch, pattern, operation, handle);

    public void Delete(string pattern, Operation operation, RequestDelegate handle) => Map(HttpMethods.Delete, pattern, operation, handle);

    private void Map(string method, string pattern, Operation operation, RequestDelegate handle) =>
        routes.MapMethods(pattern, [method], Counted(handle)).WithMetadata(operation);

    private RequestDelegate Counted(RequestDelegate handle) => async context =>
    {
        using var work = life.Enter();
        await handle(context);
    };
}
