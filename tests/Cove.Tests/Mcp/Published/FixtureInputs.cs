#pragma warning disable MCP9005 // Roots, sampling and logging are on their way out of the protocol; the suite asks for them.
using System.Security.Cryptography;
using System.Text;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using CallContext = ModelContextProtocol.Server.RequestContext<ModelContextProtocol.Protocol.CallToolRequestParams>;

namespace Cove.Tests.Mcp.Published;

/// <summary>Tools that ask by their answers (<c>input_required</c>), as the revision of 2026 has it.</summary>
internal static class FixtureInputs
{
    private static readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    public static IEnumerable<McpServerTool> All() =>
    [
        FixtureTools.Tool("test_input_required_result_elicitation", Greet),
        FixtureTools.Tool("test_streaming_elicitation", Greet),
        FixtureTools.Tool("test_input_required_result_sampling", static (CallContext context) => Given(context, "capital_question") is { } answer
            ? FixtureTools.Text("Sampling said: " + answer.RawValue.GetRawText())
            : throw Ask(("capital_question", Sampling("What is the capital of France?")))),
        FixtureTools.Tool("test_input_required_result_list_roots", static (CallContext context) => Given(context, "client_roots") is { } answer
            ? FixtureTools.Text("Roots: " + answer.RawValue.GetRawText())
            : throw Ask(("client_roots", Roots()))),
        FixtureTools.Tool("test_input_required_result_request_state", static (CallContext context) => context.Params!.RequestState is { } state
            ? Check(state) is "confirm" && Given(context, "confirm") is not null ? FixtureTools.Text("state-ok") : throw Tampered()
            : throw AskWith("confirm", ("confirm", Elicitation("Please confirm", "ok", new ElicitRequestParams.BooleanSchema())))),
        FixtureTools.Tool("test_input_required_result_multiple_inputs", static (CallContext context) => context.Params!.RequestState is { } state && Check(state) is "many"
            ? FixtureTools.Text("All are there: " + string.Join(", ", context.Params.InputResponses?.Keys.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>()))
            : throw AskWith("many", ("user_name", Name("What is your name?")), ("greeting", Sampling("Generate a greeting")), ("client_roots", Roots()))),
        FixtureTools.Tool("test_input_required_result_multi_round", static (CallContext context) => (context.Params!.RequestState is { } state ? Check(state) : null) switch
        {
            null => throw AskWith("round-1", ("step1", Name("Step 1: What is your name?"))),
            "round-1" => throw AskWith("round-2", ("step2", Elicitation("Step 2: What is your favorite color?", "color", new ElicitRequestParams.StringSchema()))),
            _ => FixtureTools.Text("Three rounds."),
        }),
        FixtureTools.Tool("test_input_required_result_tampered_state", static (CallContext context) => context.Params!.RequestState is { } state
            ? FixtureTools.Text("It is " + Check(state))
            : throw AskWith("untouched", ("confirm", Elicitation("Please confirm", "ok", new ElicitRequestParams.BooleanSchema())))),
        FixtureTools.Tool("test_input_required_result_capabilities", static CallToolResult (CallContext context) => throw Ask(Able(context.Server.ClientCapabilities).ToArray())),
    ];

    /// <summary>A prompt asks in the same way.</summary>
    public static InputRequiredException AskForContext() => Ask(("user_context", Elicitation("What context should the prompt use?", "context", new ElicitRequestParams.StringSchema())));

    private static CallToolResult Greet(CallContext context)
    {
        var answer = Given(context, "user_name")?.RawValue;
        return answer is { ValueKind: System.Text.Json.JsonValueKind.Object } value && value.TryGetProperty("content", out var content) && content.TryGetProperty("name", out var name)
            ? FixtureTools.Text($"Hello, {name.GetString()}!")
            : throw Ask(("user_name", Name("What is your name?")));
    }

    private static InputResponse? Given(CallContext context, string key) => context.Params?.InputResponses?.TryGetValue(key, out var answer) == true ? answer : null;

    private static IEnumerable<(string, InputRequest)> Able(ClientCapabilities? client)
    {
        if (client?.Sampling is not null)
        {
            yield return ("sampled", Sampling("Say something"));
        }

        if (client?.Elicitation is not null)
        {
            yield return ("elicited", Name("What is your name?"));
        }
    }

    private static InputRequiredException Ask(params (string Key, InputRequest Request)[] asked) => new(asked.ToDictionary(a => a.Key, a => a.Request), null);

    private static InputRequiredException AskWith(string state, params (string Key, InputRequest Request)[] asked) => new(asked.ToDictionary(a => a.Key, a => a.Request), Sign(state));

    /// <summary>A client carries the state and must not write it.</summary>
    private static string Sign(string state) => state + "." + Convert.ToHexStringLower(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes(state)));

    private static string Check(string signed) => signed.Split('.') is [{ } state, _] && Sign(state) == signed ? state : throw Tampered();

    private static McpProtocolException Tampered() => new("The state is not the one that was given.", McpErrorCode.InvalidParams);

    private static InputRequest Name(string message) => Elicitation(message, "name", new ElicitRequestParams.StringSchema());

    private static InputRequest Elicitation(string message, string field, ElicitRequestParams.PrimitiveSchemaDefinition type)
    {
        var schema = new ElicitRequestParams.RequestSchema { Required = [field] };
        schema.Properties[field] = type;
        return InputRequest.ForElicitation(new ElicitRequestParams { Message = message, RequestedSchema = schema });
    }

    private static InputRequest Sampling(string text) => InputRequest.ForSampling(new CreateMessageRequestParams
    {
        Messages = [new SamplingMessage { Role = Role.User, Content = [new TextContentBlock { Text = text }] }],
        MaxTokens = 100,
    });

    private static InputRequest Roots() => InputRequest.ForRootsList(new ListRootsRequestParams());
}
