using System.Text.Json;
using Cove.Agent.Models;
using Cove.Agent.Secrets;
using Cove.Agent.Tools.Formats;
using Cove.ScriptedModel;
using Microsoft.Extensions.AI;

namespace Cove.Cli.Agents;

/// <summary>Which model answers, and how it is reached. Made before anything is started: what is missing shows at once.</summary>
internal sealed record ModelChoice
{
    private const string Scripted = "scripted:";
    private const string ModelVariable = "COVE_MODEL";
    private const string BaseUrlVariable = "ANTHROPIC_BASE_URL";

    /// <summary>The model's name, or <c>scripted:FILE</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The key; null for a scripted model.</summary>
    public ModelKey? Key { get; init; }

    public required Uri BaseUrl { get; init; }

    public int? MaxOutputTokens { get; init; }

    /// <summary>What must not be written anywhere.</summary>
    public Redactor Redactor => Key?.Redactor() ?? new Redactor();

    private string? Script => Name.StartsWith(Scripted, StringComparison.Ordinal) ? Name[Scripted.Length..] : null;

    /// <summary>From options, and where they say nothing from the environment.</summary>
    public static ModelChoice Make(string? model, string? baseUrl, string? keyFile, int? maxOutputTokens, Func<string, string?> environment)
    {
        var name = model ?? Given(environment, ModelVariable) ?? AnthropicModel.DefaultModel;
        var choice = new ModelChoice { Name = name, BaseUrl = Address(baseUrl ?? Given(environment, BaseUrlVariable)), MaxOutputTokens = maxOutputTokens };
        if (choice.Script is { } script)
        {
            return File.Exists(script) ? choice : throw Errors.Usage("script_missing", $"The script '{script}' is not there.", "Name a file: --model scripted:FILE.");
        }

        return choice with
        {
            Key = ModelKey.Find(keyFile, environment) ?? throw Errors.Usage(
                "no_model_key",
                "There is no key for the model.",
                $"Set {ModelKey.ApiKeyVariable} or {ModelKey.AuthTokenVariable}, or name a file that only you can read: --key-file FILE or {ModelKey.FileVariable}. --model scripted:FILE needs no key."),
        };
    }

    /// <summary>A client of it; disposing ends what was started for it.</summary>
    public async Task<OpenModel> OpenAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var options = new AnthropicModelOptions { Model = Name, BaseUrl = BaseUrl, ApiKey = Key?.ApiKey, AuthToken = Key?.AuthToken, ToolForm = Typed };
        options = MaxOutputTokens is { } most ? options with { MaxOutputTokens = most } : options;
        if (Script is not { } script)
        {
            return new OpenModel(Create(options), null);
        }

        try
        {
            var server = await ScriptedModelServer.StartAsync(script, time, cancellationToken);
            return new OpenModel(Create(options with { Model = "scripted", ApiKey = "scripted", BaseUrl = new Uri(server.BaseUrl) }), server);
        }
        catch (ScriptException wrong)
        {
            throw Errors.Usage("script_wrong", wrong.Message, "docs/scripted-model.md describes scripts.");
        }
    }

    /// <summary>The tools that the provider's models are trained on are told by their type.</summary>
    private static JsonElement? Typed(AITool tool) => tool is AIFunctionDeclaration function && ToolFormats.AnthropicTyped([function])[0] is { } form
        ? JsonElement.Parse(form.ToJsonString())
        : null;

    private static IChatClient Create(AnthropicModelOptions options)
    {
        try
        {
            return AnthropicModel.Create(options);
        }
        catch (ArgumentException wrong)
        {
            throw Errors.Usage("model_option", wrong.Message.Replace($" (Parameter '{wrong.ParamName}')", "", StringComparison.Ordinal), "Check --model, --base-url and --max-output-tokens.");
        }
    }

    private static Uri Address(string? text) => text is null ? new AnthropicModelOptions().BaseUrl
        : Uri.TryCreate(text, UriKind.Absolute, out var url) ? url
        : throw Errors.Usage("model_option", $"--base-url is '{text}', which is no address.", "Write https://HOST, or http://127.0.0.1:PORT.");

    private static string? Given(Func<string, string?> environment, string name) => environment(name) is { Length: > 0 } value ? value : null;
}

/// <summary>A model that can be asked.</summary>
internal sealed class OpenModel(IChatClient client, ScriptedModelServer? server) : IAsyncDisposable
{
    public IChatClient Client => client;

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        if (server is not null)
        {
            await server.DisposeAsync();
        }
    }
}
