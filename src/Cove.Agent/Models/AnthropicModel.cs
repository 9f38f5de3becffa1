using System.Text.Json;
using Anthropic;
using Cove.Agent.Loop;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Models;

/// <summary>How the Messages API is reached.</summary>
public sealed record AnthropicModelOptions
{
    /// <summary>The model. Default <see cref="AnthropicModel.DefaultModel"/>; 1 to 200 characters.</summary>
    public string Model { get; init; } = AnthropicModel.DefaultModel;

    /// <summary>The key. One of this and <see cref="AuthToken"/> is needed.</summary>
    public string? ApiKey { get; init; }

    /// <summary>A bearer token instead of a key.</summary>
    public string? AuthToken { get; init; }

    /// <summary>The server. Default <c>https://api.anthropic.com</c>. Plain http is taken only on loopback: the key would travel in the clear.</summary>
    public Uri BaseUrl { get; init; } = new("https://api.anthropic.com");

    /// <summary>The most tokens of one answer where the request does not say. Default 16,000; 1 to 1,000,000.</summary>
    public int MaxOutputTokens { get; init; } = 16_000;

    /// <summary>How long a call may take until its first byte. Default 10 minutes; 10 ms to 1 hour.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether the provider is asked to keep the conversation in its cache, which makes every further turn cheaper. Default yes.</summary>
    public bool CachePrompts { get; init; } = true;

    /// <summary>The declaration of tools that the API knows by a type of their own; null from it: an ordinary tool. Default: all are ordinary.</summary>
    public Func<AITool, JsonElement?>? ToolForm { get; init; }

    internal void Check()
    {
        if (Model is not { Length: > 0 and <= 200 } || Model.Any(char.IsControl))
        {
            throw AgentOptions.Wrong(nameof(Model), Model, "a model's name of 1 to 200 characters");
        }

        if (!BaseUrl.IsAbsoluteUri || BaseUrl is not { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" } || (BaseUrl.Scheme == "http" && !BaseUrl.IsLoopback))
        {
            throw AgentOptions.Wrong(nameof(BaseUrl), BaseUrl, "https://HOST, or http://127.0.0.1:PORT for a server of your own on this machine");
        }

        AgentOptions.Range(nameof(MaxOutputTokens), MaxOutputTokens, 1, 1_000_000);
        AgentOptions.Range(nameof(Timeout), Timeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));
    }
}

/// <summary>Models of the Messages API, through the provider's own package.</summary>
public static class AnthropicModel
{
    /// <summary>The model where nobody names another.</summary>
    public const string DefaultModel = "claude-opus-5-5";

    /// <summary>
    /// A client of the API. Stop reasons come as they are, errors of tools are marked, pictures in results and typed tools pass, and what the model wrote is sent back
    /// unchanged. It makes each call once: whoever calls it decides about another.
    /// </summary>
    public static IChatClient Create(AnthropicModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        if (string.IsNullOrEmpty(options.ApiKey) && string.IsNullOrEmpty(options.AuthToken))
        {
            throw ModelFailures.Make(ModelFailureKind.Authentication, "There is no key for the model.");
        }

        // Redirects are not followed: the key would go wherever an answer points.
        var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(30) }) { Timeout = Timeout.InfiniteTimeSpan };
        var client = new AnthropicClient
        {
            HttpClient = http,
            Handlers = [new RefusedAnswers()],
            BaseUrl = options.BaseUrl.AbsoluteUri.TrimEnd('/'),
            ApiKey = string.IsNullOrEmpty(options.ApiKey) ? null : options.ApiKey,
            AuthToken = string.IsNullOrEmpty(options.ApiKey) ? options.AuthToken : null,
            MaxRetries = 0,
            Timeout = options.Timeout,
        };
        return new AnthropicChatClient(client, http, options);
    }
}
