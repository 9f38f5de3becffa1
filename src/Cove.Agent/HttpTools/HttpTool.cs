using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.HttpTools.Answers;
using Cove.Agent.HttpTools.Declarations;
using Cove.Agent.HttpTools.Schemas;
using Cove.Agent.HttpTools.Sending;
using Cove.Agent.HttpTools.Templates;
using Cove.Agent.Secrets;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Cove.Agent.HttpTools;

/// <summary>A declared tool: checks an input, sends one request with its retries, and tells what came of it.</summary>
internal sealed class HttpTool(HttpToolDeclaration declaration, SecretStore secrets, HttpSender sender, Tries tries, HttpToolsetOptions options) : AgentTool
{
    /// <summary>What a model reads at most of a result; the whole is in <see cref="ToolResult.Structured"/>.</summary>
    public const int MaximumText = 20_000;

    private readonly AnswerReading _reading = new(declaration.Response, declaration.Url.Origin.Authority, declaration.IsRepeatable, secrets.Redactor);
    private readonly JsonElement? _returns = ResultSchema.Of(declaration.Response);

    public HttpToolDeclaration Declaration => declaration;

    public override string Name => declaration.Name;

    public override string Description => declaration.Description;

    public override JsonElement JsonSchema => declaration.Input.Json;

    public override JsonElement? ReturnJsonSchema => _returns;

    public override async Task<ToolResult> CallAsync(ToolCall call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        return Told(await AskAsync(call.Input, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>An answer as a model reads it.</summary>
    public static ToolResult Told(HttpToolAnswer answer)
    {
        if (answer.Error is { } error)
        {
            return ToolResult.Failed(error);
        }

        var text = ModelJson.Of(answer.Value!);
        return new ToolResult
        {
            Content = [new TextContent(text.Length <= MaximumText ? text : text[..MaximumText] + $"\n[cut: {text.Length - MaximumText} more characters]")],
            Structured = JsonSerializer.SerializeToElement(answer.Value, SchemaJson.Default.JsonObject),
        };
    }

    /// <summary>Answers one call. Throws only when it is cancelled.</summary>
    public async Task<HttpToolAnswer> AskAsync(JsonElement input, CancellationToken cancellationToken)
    {
        var started = options.Time.GetTimestamp();
        var (call, refused) = await PrepareAsync(input, started, cancellationToken).ConfigureAwait(false);
        var answer = call is null ? refused! : await SendAsync(call, cancellationToken).ConfigureAwait(false);
        answer = Redacted(answer);
        options.Log.ToolCalled(Name, declaration.Url.Origin.Authority, answer.Error is null ? "ok" : answer.Code, answer.Status, call?.Tries ?? 0, options.Time.GetElapsedTime(started).TotalMilliseconds);
        return answer;
    }

    /// <summary>Everything that can be wrong before anything is sent.</summary>
    private async Task<(CallState? Call, HttpToolAnswer? Refused)> PrepareAsync(JsonElement given, long started, CancellationToken cancellationToken)
    {
        var (input, fault) = InputBounds.Read(given);
        IReadOnlyList<string> faults = input is null ? [fault!] : declaration.Input.Check(input);
        if (input is null || faults.Count > 0)
        {
            return (null, Wrong(string.Join("; ", faults)));
        }

        try
        {
            var known = new Dictionary<string, Secret>(StringComparer.Ordinal);
            foreach (var name in declaration.Secrets)
            {
                known[name] = await secrets.GetAsync(name, cancellationToken).ConfigureAwait(false);
            }

            return (new CallState(RequestPlan.Make(declaration, new TemplateValues(input, known), options.UserAgent), started), null);
        }
        catch (ValueRefused refused)
        {
            return (null, Wrong(refused.Message));
        }
        catch (CoveException failure)
        {
            options.Log.SecretUnusable(Name, failure.Error.Code);
            return (null, HttpToolAnswer.Failed("tool_not_configured", ToolErrorCategory.Unavailable, false, $"The tool {Name} has no credentials.", "Nothing can be done with this tool: tell the user that whoever runs it must provide its secrets."));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // A secret source of somebody else's: what it throws may hold anything.
            options.Log.SecretUnusable(Name, failure.GetType().Name);
            return (null, HttpToolAnswer.Failed("tool_not_configured", ToolErrorCategory.Unavailable, true, $"The credentials of the tool {Name} can't be read.", "Try again later; if it stays so, tell the user."));
        }
    }

    private async Task<HttpToolAnswer> SendAsync(CallState call, CancellationToken cancellationToken)
    {
        var host = declaration.Url.Origin.Authority;
        try
        {
            return _reading.Of(await tries.RunAsync(call, OnceAsync, cancellationToken).ConfigureAwait(false));
        }
        catch (BrokenCircuitException open)
        {
            var seconds = Math.Max(1, Math.Ceiling((open.RetryAfter ?? declaration.Circuit.Open).TotalSeconds));
            return HttpToolAnswer.Failed("tool_circuit_open", ToolErrorCategory.Unavailable, true, $"{host} failed too often; nothing was sent to it.", $"Wait {seconds} seconds, then try again.", wait: TimeSpan.FromSeconds(seconds));
        }
        catch (TimeoutRejectedException late)
        {
            return HttpToolAnswer.Failed("tool_timed_out", ToolErrorCategory.Timeout, declaration.IsRepeatable || !call.HasSent, $"{host} did not answer within {late.Timeout.TotalSeconds:0.###} s.", declaration.IsRepeatable || !call.HasSent
                ? "Try again later; if it stays so, tell the user."
                : "It may have been done all the same: look before you ask for it again.");
        }
    }

    private ValueTask<Attempt> OnceAsync(CallState call, CancellationToken cancellationToken) =>
        sender.SendAsync(call, declaration.AllowPrivate, declaration.Response.MaximumBytes, cancellationToken);

    private static HttpToolAnswer Wrong(string faults) =>
        HttpToolAnswer.Failed("tool_input_invalid", ToolErrorCategory.Input, true, $"The input is not acceptable, and nothing was sent: {faults}.", "Correct the named fields and call the tool again.");

    /// <summary>The last look: messages quote inputs and answers, and an input may hold a secret that somebody pasted.</summary>
    private HttpToolAnswer Redacted(HttpToolAnswer answer) => answer.Error is not { } error ? answer : answer with
    {
        Error = error with { Context = secrets.Redactor.Redact(error.Context), Remediation = secrets.Redactor.Redact(error.Remediation) },
    };
}

/// <summary>The JSON schema of what a tool answers.</summary>
internal static class ResultSchema
{
    public static JsonElement? Of(ResponseMapping mapping)
    {
        var properties = new JsonObject { ["success"] = new JsonObject { ["type"] = "boolean" } };
        foreach (var field in mapping.Fields)
        {
            var schema = new JsonObject();
            if (field.Type is { } type)
            {
                schema["type"] = new JsonArray(type, "null");
            }

            if (field.Description is { } description)
            {
                schema["description"] = description;
            }

            properties[field.Name] = schema;
        }

        if (mapping.Fields.Count == 0)
        {
            properties["result"] = mapping.IsText ? new JsonObject { ["type"] = "string" } : new JsonObject();
        }

        return JsonSerializer.SerializeToElement(new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = new JsonArray([.. properties.Select(property => (JsonNode)property.Key)]) }, SchemaJson.Default.JsonObject);
    }
}
