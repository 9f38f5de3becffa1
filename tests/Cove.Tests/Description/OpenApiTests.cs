using System.Text.Json.Nodes;
using Cove.Server.Hosting;
using Cove.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Xunit;

namespace Cove.Tests.Description;

public sealed class OpenApiTests
{
    private const string Regenerate = "Write it anew: dotnet build tests/Cove.Tests -c Release && artifacts/bin/Cove.Tests/release/Cove.Tests " + OpenApiDocument.Word;

    [Fact]
    public void What_is_checked_in_is_what_the_routes_say() =>
        Assert.True(File.ReadAllText(OpenApiDocument.Path) == OpenApiDocument.Text(), $"specs/openapi.json is not what the routes say. {Regenerate}");

    [Fact]
    public async Task What_is_served_is_what_is_checked_in()
    {
        await using var server = await FrontDoor.StartAsync(new FakeCove());
        using var response = await server.Http.GetAsync("/openapi.json");
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        Assert.True(await response.Content.ReadAsStringAsync() == File.ReadAllText(OpenApiDocument.Path), "The build embedded another specs/openapi.json: build again.");
    }

    [Fact]
    public void It_is_a_sound_OpenAPI_3_1_document() => Assert.Empty(OpenApiRules.Broken(Document()));

    [Fact]
    public void Every_route_is_described_under_an_id_of_its_own()
    {
        var ids = FrontDoor.Endpoints().Select(e => e.Metadata.GetMetadata<Operation>()?.Id ?? throw new InvalidOperationException($"{e.DisplayName} has no Operation.")).ToArray();
        Assert.Equal(ids.Length, ids.Distinct(StringComparer.Ordinal).Count());
        var described = Document()["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()).Select(o => o.Value!["operationId"]!.GetValue<string>());
        Assert.Equal(ids.Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Events_are_told_apart_by_their_type()
    {
        var schemas = Document()["components"]!["schemas"]!;
        Assert.Equal("type", schemas["RunEvent"]!["discriminator"]!["propertyName"]!.GetValue<string>());
        Assert.Equal("#/components/schemas/RunCompleted", schemas["RunEvent"]!["discriminator"]!["mapping"]!["completed"]!.GetValue<string>());
        Assert.Equal("completed", schemas["RunCompleted"]!["properties"]!["type"]!["const"]!.GetValue<string>());
        Assert.Equal("Its place in the run, from 1 without gaps.", schemas["RunCompleted"]!["properties"]!["sequence"]!["description"]!.GetValue<string>());
    }

    [Fact]
    public void A_stream_is_told_by_its_items_and_a_whole_answer_by_itself()
    {
        var operation = new Operation("x", "Does.") { Needs = Scopes.Read, Answer = typeof(RunEvent), Whole = typeof(RunResult), AnswerTypes = ["application/x-ndjson", "text/event-stream", "application/json"] };
        var endpoint = new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse("/x/{sandbox}/{**rest}"), 0, new EndpointMetadataCollection(operation, new HttpMethodMetadata(["GET"])), "x");
        var document = OpenApiDocument.Build([endpoint]);
        var content = document["paths"]!["/x/{sandbox}/{rest}"]!["get"]!["responses"]!["200"]!["content"]!;
        Assert.Equal("""{"schema":{"$ref":"#/components/schemas/RunEvent","description":"One line."}}""", content["application/x-ndjson"]!.ToJsonString());
        Assert.Equal("""{"schema":{"$ref":"#/components/schemas/RunEvent","description":"The data of one server-sent event."}}""", content["text/event-stream"]!.ToJsonString());
        Assert.Equal("""{"schema":{"$ref":"#/components/schemas/RunResult"}}""", content["application/json"]!.ToJsonString());
        Assert.Empty(OpenApiRules.Broken(document));
    }

    [Fact]
    public void What_needs_a_key_says_so_and_what_does_not_is_open()
    {
        foreach (var endpoint in FrontDoor.Endpoints())
        {
            var operation = endpoint.Metadata.GetMetadata<Operation>()!;
            var described = Document()["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject()).Single(o => o.Value!["operationId"]!.GetValue<string>() == operation.Id).Value!;
            Assert.Equal(operation.Needs == Scopes.None, described["security"] is JsonArray { Count: 0 });
        }
    }

    [Theory]
    [InlineData("""{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/a/{b}":{"get":{"operationId":"x","responses":{"200":{"description":"d"}}}}}}""", "b")]
    [InlineData("""{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"operationId":"x","responses":{"200":{"$ref":"#/components/responses/none"}}}}}}""", "none")]
    [InlineData("""{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"operationId":"x","responses":{}}}}}""", "responses")]
    [InlineData("""{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{}}""", "3.0.3")]
    [InlineData("""{"openapi":"3.1.0","info":{"title":"t"},"paths":{}}""", "info.version")]
    [InlineData("""{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{},"components":{"schemas":{"A":{"type":"strnig"}}}}""", "strnig")]
    [InlineData("""{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{},"components":{"schemas":{"A":{"type":"object","properties":{"b":{}},"required":["c"]}}}}""", "'c'")]
    public void An_unsound_document_is_noticed(string document, string named) =>
        Assert.Contains(OpenApiRules.Broken(JsonNode.Parse(document)!.AsObject()), broken => broken.Contains(named, StringComparison.Ordinal));

    private static JsonObject Document() => JsonNode.Parse(File.ReadAllText(OpenApiDocument.Path))!.AsObject();
}
