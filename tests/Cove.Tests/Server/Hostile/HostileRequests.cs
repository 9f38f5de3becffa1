using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Cove.Server.Frontends.Execute;
using Cove.Server.Frontends.Mcp;
using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Routing;

namespace Cove.Tests.Server.Hostile;

/// <summary>One request of those below: where, with what, and whether it must be refused.</summary>
internal sealed record HostileRequest(string What, string Method, string Target, IReadOnlyList<(string Name, string Value)> Headers, byte[]? Body, bool MustBeRefused, bool IsEndless);

/// <summary>Every field of every route, from what the routes say of themselves: a field that is added tomorrow is attacked tomorrow.</summary>
internal sealed class HostileRequests(SandboxId sandbox, string key)
{
    private const string Mark = "@here@";

    private static readonly Dictionary<Type, string[]> _bodies = new()
    {
        [typeof(SandboxRequest)] = ["{}"],
        [typeof(RunRequest)] = ["""{"code":"1"}""", """{"argv":["/bin/true"]}""", """{"code":"1","tools":[{"name":"a","input_schema":{"type":"object"}}]}"""],
        [typeof(ToolResults)] = ["""{"results":[{"call_id":"call_1","result":1}]}"""],
        [typeof(KernelRequest)] = ["""{"id":"k1","language":"bash"}"""],
        [typeof(DirectoryRequest)] = ["""{"path":"/workspace/d"}"""],
        [typeof(MoveRequest)] = ["""{"from":"/workspace/a","to":"/workspace/b"}"""],
        [typeof(SandboxExtension)] = ["""{"lifetime_ms":600000}"""],
        [typeof(McpMessage)] = ["""{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""],
        [typeof(ExecuteRequest)] = ["""{"code":"1","timeout":20}"""],
    };

    public IEnumerable<HostileRequest> Of(RouteEndpoint route)
    {
        var operation = route.Metadata.GetMetadata<Operation>()!;
        var method = route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0];
        return Bodies(route, operation, method).Concat(Addresses(route, operation, method)).Concat(Queries(route, operation, method)).Concat(Headers(route, operation, method));
    }

    /// <summary>The names of all fields of a body, of objects within it too, with dots between them.</summary>
    public static IEnumerable<string> Fields(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            yield return property.Name;
            if (type.Options.TryGetTypeInfo(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, out var inner) && inner.Kind == JsonTypeInfoKind.Object)
            {
                foreach (var name in Fields(inner))
                {
                    yield return property.Name + "." + name;
                }
            }
        }
    }

    /// <summary>A body whose field has a value that no writer of JSON would write.</summary>
    public static byte[] With(string body, string field, byte[] value)
    {
        var root = JsonNode.Parse(body)!.AsObject();
        var at = root;
        var names = field.Split('.');
        foreach (var name in names[..^1])
        {
            at = (at[name] ??= new JsonObject()).AsObject();
        }

        at[names[^1]] = Mark;
        var text = root.ToJsonString();
        var mark = text.IndexOf($"\"{Mark}\"", StringComparison.Ordinal);
        return [.. Encoding.UTF8.GetBytes(text[..mark]), .. value, .. Encoding.UTF8.GetBytes(text[(mark + Mark.Length + 2)..])];
    }

    private IEnumerable<HostileRequest> Bodies(RouteEndpoint route, Operation operation, string method)
    {
        if (operation.Body is not { } type)
        {
            yield break;
        }

        foreach (var body in _bodies[type])
        {
            foreach (var field in Fields(operation.Json.GetTypeInfo(type)!))
            {
                foreach (var (value, never) in HostileValues.NeverJson.Select(v => (v, true)).Concat(HostileValues.OddJson.Select(v => (v, false))))
                {
                    yield return Request($"{field} = {Shown(value)}", route, operation, method, With(body, field, value), refused: never);
                }
            }

            var whole = Encoding.UTF8.GetBytes(body);
            foreach (var value in HostileValues.NeverJson)
            {
                yield return Request($"the body = {Shown(value)}", route, operation, method, value, refused: true);
                yield return Request($"after the body {Shown(value)}", route, operation, method, [.. whole, (byte)',', .. value], refused: true);
            }

            yield return Request("a field twice", route, operation, method, Encoding.UTF8.GetBytes("{" + body[1..^1] + (body.Length > 2 ? "," + body[1..^1] : "\"template\":\"base\",\"template\":\"base\"") + "}"), refused: true);
        }
    }

    private IEnumerable<HostileRequest> Addresses(RouteEndpoint route, Operation operation, string method)
    {
        foreach (var parameter in route.RoutePattern.Parameters)
        {
            foreach (var value in HostileValues.Address)
            {
                yield return Request($"{{{parameter.Name}}} = {value}", route, operation, method, Body(operation), refused: true, (parameter.Name, value));
            }
        }
    }

    private IEnumerable<HostileRequest> Queries(RouteEndpoint route, Operation operation, string method)
    {
        foreach (var parameter in operation.Query)
        {
            foreach (var value in HostileValues.Query)
            {
                var name = parameter.Name.Replace("KEY", value, StringComparison.Ordinal);
                yield return Request($"?{name}={value}", route, operation, method, Body(operation), refused: false, ("?" + name, value));
                yield return Request($"?{name}={value} twice", route, operation, method, Body(operation), refused: parameter.Required, ("?" + name, $"{value}&{name}={value}"));
            }
        }
    }

    private IEnumerable<HostileRequest> Headers(RouteEndpoint route, Operation operation, string method)
    {
        string[] always = ["Accept", "Content-Type", "X-Correlation-Id", "traceparent", "tracestate", "Range", "Expect", "Upgrade", "Cookie", "X-Forwarded-For", "If-Range"];
        foreach (var name in always.Concat(operation.Headers.Select(h => h.Name)).Distinct())
        {
            foreach (var value in HostileValues.Header)
            {
                yield return Request($"{name}: {value}", route, operation, method, Body(operation), refused: false, (name + ":", value));
            }
        }
    }

    private HostileRequest Request(string what, RouteEndpoint route, Operation operation, string method, byte[]? body, bool refused, params (string Name, string Value)[] put)
    {
        var given = put.ToDictionary(p => p.Name, p => p.Value);
        var path = route.RoutePattern.RawText!;
        foreach (var parameter in route.RoutePattern.Parameters)
        {
            path = path.Replace($"{{{parameter.Name}}}", given.GetValueOrDefault(parameter.Name) ?? (parameter.Name == "sandbox" ? sandbox.Value : "r2345678"), StringComparison.Ordinal);
        }

        var query = operation.Query.Where(p => p.Required && !given.ContainsKey("?" + p.Name)).Select(p => p.Name + "=/workspace/a").Concat(put.Where(p => p.Name[0] == '?').Select(p => $"{p.Name[1..]}={p.Value}"));
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["X-API-Key"] = key, ["Accept"] = "*/*" };
        if (body is not null)
        {
            headers["Content-Type"] = operation.RawBody ?? "application/json";
        }

        foreach (var (name, value) in put.Where(p => p.Name[^1] == ':'))
        {
            headers[name[..^1]] = value;
        }

        return new HostileRequest($"{method} {route.RoutePattern.RawText}: {what[..Math.Min(80, what.Length)]}", method, path + "?" + string.Join('&', query), [.. headers.Select(h => (h.Key, h.Value))], body, refused, operation.Endless);
    }

    private static byte[]? Body(Operation operation) =>
        operation.Body is { } type ? Encoding.UTF8.GetBytes(_bodies[type][0]) : operation.RawBody is not null ? "x"u8.ToArray() : null;

    private static string Shown(byte[] value) => JsonSerializer.Serialize(Encoding.Latin1.GetString(value.AsSpan(0, Math.Min(40, value.Length))));
}
