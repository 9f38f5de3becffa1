using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cove.Server.Hosting;
using Cove.Tests.Support;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cove.Tests.Description;

/// <summary>
/// The OpenAPI description, made from the routes themselves: each says in its <see cref="Operation"/> what it takes and answers, and the shapes come
/// from the JSON context. It is checked in, embedded in the server and served as it is, so that nothing of this is needed when Cove runs.
/// </summary>
internal static partial class OpenApiDocument
{
    /// <summary>The argument of this program that writes the file.</summary>
    public const string Word = "--write-openapi";

    public static string Path { get; } = System.IO.Path.Combine(SourceTree.Root, "specs", "openapi.json");

    private static readonly Dictionary<string, string> _pathParameters = new()
    {
        ["sandbox"] = "The sandbox's id.",
        ["run"] = "The run's id.",
        ["kernel"] = "The kernel's name.",
    };

    public static int Write()
    {
        File.WriteAllText(Path, Text());
        return 0;
    }

    public static string Text() =>
        Build(FrontDoor.Endpoints()).ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n";

    public static JsonObject Build(IEnumerable<RouteEndpoint> endpoints)
    {
        var schemas = new SchemaExport();
        var problem = schemas.Reference(typeof(Problem), CoveJson.Wire);
        var paths = new JsonObject();
        foreach (var endpoint in endpoints.OrderBy(e => e.RoutePattern.RawText, StringComparer.Ordinal))
        {
            var operation = endpoint.Metadata.GetMetadata<Operation>() ?? throw new InvalidOperationException($"{endpoint.DisplayName} has no Operation.");
            var path = Parameter().Replace(endpoint.RoutePattern.RawText!, "{${name}}");
            var item = (paths[path] ??= new JsonObject()).AsObject();
            foreach (var method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods)
            {
                item[method.ToLowerInvariant()] = Of(operation, path, schemas);
            }
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Cove",
                ["version"] = typeof(ICove).Assembly.GetName().Version!.ToString(3),
                ["description"] = "A self-hosted computer for AI agents. Durations are milliseconds, sizes bytes, unless a field says otherwise.",
                ["license"] = new JsonObject { ["name"] = "Apache-2.0", ["identifier"] = "Apache-2.0" },
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["security"] = Security(),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas.Components(),
                ["responses"] = new JsonObject { ["Problem"] = Answer("What could not be done, and what to do about it (RFC 9457).", Problem.MediaType, problem) },
                ["securitySchemes"] = new JsonObject
                {
                    ["ApiKey"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = "X-API-Key" },
                    ["Bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "The same key; not looked at when X-API-Key is sent." },
                },
            },
        };
    }

    private static JsonObject Of(Operation operation, string path, SchemaExport schemas)
    {
        var made = new JsonObject { ["operationId"] = operation.Id, ["summary"] = operation.Summary };
        if (operation.Description is { } description)
        {
            made["description"] = description;
        }

        if (operation.Needs == Scopes.None)
        {
            made["security"] = new JsonArray();
        }
        else
        {
            made["x-cove-scope"] = operation.Needs.ToString().ToLowerInvariant();
        }

        if (Parameters(operation, path) is { Count: > 0 } parameters)
        {
            made["parameters"] = parameters;
        }

        if (operation.Body is not null || operation.RawBody is not null)
        {
            made["requestBody"] = new JsonObject
            {
                ["required"] = true,
                ["content"] = new JsonObject { [operation.RawBody ?? "application/json"] = operation.Body is { } body ? Media(schemas.Reference(body, operation.Json)) : new JsonObject() },
            };
        }

        made["responses"] = Responses(operation, schemas);
        return made;
    }

    private static JsonArray Parameters(Operation operation, string path)
    {
        var all = new JsonArray();
        foreach (var name in Parameter().Matches(path).Select(m => m.Groups["name"].Value))
        {
            all.Add((JsonNode)Parameter(new Parameter(name, _pathParameters.GetValueOrDefault(name, $"The {name}."), Required: true), "path"));
        }

        foreach (var (parameters, place) in new[] { (operation.Query, "query"), (operation.Headers, "header") })
        {
            foreach (var parameter in parameters)
            {
                all.Add((JsonNode)Parameter(parameter, place));
            }
        }

        return all;
    }

    private static JsonObject Parameter(Parameter parameter, string place)
    {
        var made = new JsonObject { ["name"] = parameter.Name, ["in"] = place, ["description"] = parameter.Description };
        if (parameter.Required)
        {
            made["required"] = true;
        }

        made["schema"] = new JsonObject { ["type"] = parameter.Type };
        return made;
    }

    private static JsonObject Responses(Operation operation, SchemaExport schemas)
    {
        var success = new JsonObject { ["description"] = operation.Summary };
        var hasBody = operation.Answer is not null || operation.Status == StatusCodes.Status200OK;
        if (hasBody)
        {
            var content = new JsonObject();
            foreach (var type in operation.AnswerTypes)
            {
                content[type] = operation.Answer is { } answer ? Media(Shape(type, schemas.Reference(type == "application/json" ? operation.Whole ?? answer : answer, operation.Json))) : new JsonObject();
            }

            success["content"] = content;
        }

        var made = new JsonObject { [operation.Status.ToString()] = success };
        foreach (var other in operation.OtherAnswers)
        {
            made[other.Status.ToString()] = other.Answer is { } type
                ? Answer(other.Description, other.MediaType, schemas.Reference(type, operation.Json))
                : new JsonObject { ["description"] = other.Description };
        }

        made["default"] = new JsonObject { ["$ref"] = "#/components/responses/Problem" };
        return made;
    }

    /// <summary>OpenAPI 3.1 has no word for a stream: the schema is that of one item, and its description says so.</summary>
    private static JsonObject Shape(string type, JsonObject schema)
    {
        if (type is "application/x-ndjson" or "text/event-stream")
        {
            schema["description"] = type == "text/event-stream" ? "The data of one server-sent event." : "One line.";
        }

        return schema;
    }

    private static JsonObject Answer(string description, string type, JsonObject schema) =>
        new() { ["description"] = description, ["content"] = new JsonObject { [type] = Media(schema) } };

    private static JsonObject Media(JsonObject schema) => new() { ["schema"] = schema };

    private static JsonArray Security() => [new JsonObject { ["ApiKey"] = new JsonArray() }, new JsonObject { ["Bearer"] = new JsonArray() }];

    [GeneratedRegex(@"\{\**(?<name>\w+)[^}]*\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Parameter();
}
