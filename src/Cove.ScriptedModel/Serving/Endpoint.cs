using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.ScriptedModel.Playing;
using Cove.ScriptedModel.Scripts;
using Cove.ScriptedModel.Wire;
using Microsoft.AspNetCore.Http;

namespace Cove.ScriptedModel.Serving;

/// <summary>Answers the requests of the Messages API.</summary>
internal sealed class Endpoint(Script script, TimeProvider time)
{
    private const int MaxBodyBytes = 32 << 20;
    private const string Newest = "2026-10-21";
    private static readonly string[] Versions = ["2023-01-01", "2023-06-01", Newest];
    private readonly Playback _playback = new(script);
    private readonly Attempts _attempts = new();
    private readonly Lock _lock = new();
    private readonly List<ReceivedRequest> _requests = [];
    private readonly List<ScriptException> _problems = [];
    private int _count;

    public IReadOnlyList<ReceivedRequest> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    public IReadOnlyList<ScriptException> Problems
    {
        get
        {
            lock (_lock)
            {
                return [.. _problems];
            }
        }
    }

    public async Task AnswerAsync(HttpContext context)
    {
        var requestId = $"req_scripted{Interlocked.Increment(ref _count).ToString("00000", CultureInfo.InvariantCulture)}";
        context.Response.Headers["request-id"] = requestId;
        var answering = new Answering(context, requestId, time);
        try
        {
            var received = await ReceiveAsync(context);
            answering.Note(received);
            await RouteAsync(context, received, answering);
        }
        catch (ApiException refused)
        {
            await answering.ErrorAsync(refused.Status, refused.Type, refused.Message, refused.ErrorCode);
        }
        catch (ScriptException problem)
        {
            lock (_lock)
            {
                _problems.Add(problem);
            }

            await answering.ErrorAsync(StatusCodes.Status400BadRequest, "invalid_request_error", $"The script does not fit: {problem.Message}");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone, or the server ends: nobody is left to be told.
        }
        catch (Exception failure) when (failure is not BrokenOffException && !context.Response.HasStarted)
        {
            await answering.ErrorAsync(StatusCodes.Status500InternalServerError, "api_error", $"The scripted model failed: {failure.Message}");
        }
    }

    private async Task<ReceivedRequest> ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        var buffer = new byte[64 << 10];
        for (int read; (read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0;)
        {
            body.Write(buffer, 0, read);
            if (body.Length > MaxBodyBytes)
            {
                throw new ApiException(413, "request_too_large", "Request exceeds the maximum size");
            }
        }

        var received = new ReceivedRequest
        {
            Method = context.Request.Method,
            Path = context.Request.Path + context.Request.QueryString,
            Headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            Body = Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length),
        };
        lock (_lock)
        {
            _requests.Add(received);
        }

        return received;
    }

    private async Task RouteAsync(HttpContext context, ReceivedRequest received, Answering answering)
    {
        var path = context.Request.Path.Value ?? "";
        var newest = Version(context, path);
        switch (context.Request.Method, path)
        {
            case ("POST", "/v1/messages"):
                await MessageAsync(Parse(received.Body), newest, answering);
                break;
            case ("POST", "/v1/messages/count_tokens"):
                var counted = Parse(received.Body);
                RequestChecks.Check(counted, newest, counting: true);
                await answering.JsonAsync(new JsonObject { ["input_tokens"] = Message.Estimate(counted) });
                break;
            case ("GET", "/v1/models"):
                await answering.JsonAsync(Models.List());
                break;
            case ("GET", _) when path.StartsWith("/v1/models/", StringComparison.Ordinal):
                await answering.JsonAsync(Models.One(path["/v1/models/".Length..]));
                break;
            case ("GET" or "HEAD", "/" or "/api/hello"):
                break; // what clients ask to see whether somebody is there
            case (_, "/v1/messages" or "/v1/messages/count_tokens" or "/v1/models"):
                throw new ApiException(405, "invalid_request_error", "Method Not Allowed");
            default:
                throw new ApiException(404, "not_found_error", "Not Found");
        }
    }

    private async Task MessageAsync(JsonElement request, bool newest, Answering answering)
    {
        RequestChecks.Check(request, newest, counting: false);
        var reply = _playback.Play(request);
        var fault = Fault(reply.Branch.Faults, _attempts.Next(request));
        var stream = request.TryGetProperty("stream", out var streamed) && streamed.GetBoolean();
        await answering.GiveAsync(Message.Of(request, reply, newest), reply, fault, stream);
    }

    private static Fault? Fault(IReadOnlyList<Fault> faults, int tries)
    {
        foreach (var fault in faults)
        {
            if (fault.Times is not { } times || tries < times)
            {
                return fault;
            }

            tries -= times;
        }

        return null;
    }

    /// <summary>Checks who asks and in which version; true for the version in which every member is always there.</summary>
    private static bool Version(HttpContext context, string path)
    {
        if (!path.StartsWith("/v1/", StringComparison.Ordinal))
        {
            return false;
        }

        var bearer = context.Request.Headers.Authorization.ToString();
        if (string.IsNullOrWhiteSpace(context.Request.Headers["x-api-key"]) && !(bearer.StartsWith("Bearer ", StringComparison.Ordinal) && bearer.Length > "Bearer ".Length))
        {
            throw new ApiException(401, "authentication_error", bearer.Length > 0 ? "Invalid bearer token" : "x-api-key header is required");
        }

        var version = context.Request.Headers["anthropic-version"].ToString();
        if (version.Length == 0)
        {
            throw ApiException.Invalid("anthropic-version: header is required");
        }

        return Versions.Contains(version, StringComparer.Ordinal)
            ? version == Newest
            : throw ApiException.Invalid($"anthropic-version: \"{version}\" is not a valid version. You can find the list of valid versions in the API's documentation.");
    }

    private static JsonElement Parse(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException failure)
        {
            throw ApiException.Invalid($"The request body is not valid JSON: {failure.Message}");
        }
    }
}
