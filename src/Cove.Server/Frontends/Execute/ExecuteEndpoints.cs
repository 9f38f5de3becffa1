using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Cove.Server.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Cove.Server.Frontends.Execute;

/// <summary><c>POST /execute</c>: code in, output, error and success out. Each call has a fresh sandbox unless it names one.</summary>
internal static class ExecuteEndpoints
{
    /// <summary>Room for the largest code (900,000 bytes) with six characters for each of its bytes.</summary>
    private const long MaximumBodyBytes = 6 << 20;

    /// <summary>Of a body with two codes whatever looks at it on its way may see another than what would be run.</summary>
    private static readonly JsonDocumentOptions _strict = new() { AllowDuplicateProperties = false };

    /// <summary>Adds the route.</summary>
    public static void MapExecute(this Routes routes) => routes.Post("/execute", new Operation("execute_python_code", "Execute Python Code")
    {
        Needs = Scopes.Write,
        Starts = true,
        Description = "Runs code in a fresh sandbox, or in one of the caller's own, and answers when it ended. Code that fails is an answer too: its success is false.",
        Body = typeof(ExecuteRequest),
        Query = [new("details", "Whether the answer says more than output, error and success. Default false.", "boolean")],
        Answer = typeof(ExecuteAnswer),
        OtherAnswers = [new(StatusCodes.Status400BadRequest, "The body holds no code, or a field has a value it can't have.", typeof(ExecuteRefusal))],
        Json = ExecuteJson.Wire,
    }, ExecuteAsync);

    private static async Task ExecuteAsync(HttpContext context)
    {
        var (call, error) = await ReadAsync(context);
        if (call is null)
        {
            await WriteAsync(context, new ExecuteRefusal(error), ExecuteJson.Wire.ExecuteRefusal, StatusCodes.Status400BadRequest);
            return;
        }

        var said = await RunAsync(context, call);
        if (said.End is not { } end)
        {
            throw new InvalidOperationException("A run ended without its completed event.");
        }

        if (end is { Outcome: RunOutcome.Refused, Error: { } refused })
        {
            throw new CoveException(refused);
        }

        await WriteAsync(context, ExecuteTranslation.Answer(call, said, end, context.CorrelationId()), ExecuteJson.Wire.ExecuteAnswer, StatusCodes.Status200OK);
    }

    private static async Task<ExecuteOutput> RunAsync(HttpContext context, ExecuteCall call)
    {
        var cove = context.Cove();
        var said = new ExecuteOutput(call is { Details: true, Images: true });
        var sandbox = call.Sandbox ?? (await cove.CreateSandboxAsync(ExecuteTranslation.Fresh(call), context.RequestAborted)).Id;
        try
        {
            // A caller that hangs up has cancelled its run; it is read to its end, which comes soon then.
            await foreach (var next in cove.RunAsync(sandbox, ExecuteTranslation.Run(call, context.CorrelationId()), context.RequestAborted))
            {
                said.Add(next);
            }
        }
        finally
        {
            if (call.Sandbox is null)
            {
                // Not awaited: the answer is known, and nobody can reach the sandbox any more.
                _ = EndAsync(cove, sandbox, context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ExecuteEndpoints)));
            }
        }

        return said;
    }

    private static async Task EndAsync(ICove cove, SandboxId sandbox, ILogger log)
    {
        try
        {
            await cove.DeleteSandboxAsync(sandbox, CancellationToken.None);
        }
        catch (Exception failure)
        {
            // Its lifetime ends it a minute after its run's time at the latest.
            log.NotDeleted(failure, sandbox.Value);
        }
    }

    /// <summary>Reads the call. Another content type than JSON is answered as a body without code: a page may send any body unasked, but not JSON.</summary>
    private static async Task<(ExecuteCall? Call, string Error)> ReadAsync(HttpContext context)
    {
        if (Details(context.Request) is not { } details)
        {
            return (null, $"The query parameter 'details' is '{context.Request.Query["details"]}'. Give true or false.");
        }

        if (!IsJson(context.Request.ContentType))
        {
            return (null, ExecuteTranslation.MissingCode);
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = Math.Min(limit.MaxRequestBodySize ?? long.MaxValue, MaximumBodyBytes);
        }

        try
        {
            await using var counted = BoundedBody.Of(context);
            using var body = await JsonDocument.ParseAsync(counted, _strict, context.RequestAborted);
            return ExecuteTranslation.Read(body.RootElement, details);
        }
        catch (JsonException)
        {
            return (null, ExecuteTranslation.MissingCode);
        }
    }

    private static bool? Details(HttpRequest request) => (string?)request.Query["details"] switch
    {
        null or "false" => false,
        "true" => true,
        _ => null,
    };

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var media)
        && (media.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (media.Type.Equals("application", StringComparison.OrdinalIgnoreCase) && media.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)));

    private static async Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type, int status)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await HeldAnswer.WriteAsync(context, body, context.RequestAborted);
    }
}
