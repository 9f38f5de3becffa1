using Cove.Agent.Tools.Sandbox;

namespace Cove.Agent.ChatClients;

/// <summary>How <see cref="CodeInterpreterChatClient"/> runs a model's code.</summary>
public sealed record CodeInterpreterOptions
{
    /// <summary>What a sandbox starts from, and how long it lives unused. Default: the default template and times.</summary>
    public SandboxRequest Sandbox { get; init; } = new();

    /// <summary>
    /// Who shares a sandbox. Default <see cref="CodeInterpreterScope.Client"/>, which suits a client that serves one conversation; a client that serves
    /// several people takes <see cref="CodeInterpreterScope.Conversation"/>, or one reads the files of another.
    /// </summary>
    public CodeInterpreterScope Scope { get; init; }

    /// <summary>How many sandboxes are kept with <see cref="CodeInterpreterScope.Conversation"/>; the one unused for longest ends first. Default 100; 1 to 10,000.</summary>
    public int MaxConversations { get; init; } = 100;

    /// <summary>How often the model is asked for one request; the last time it can't call tools and answers with what it has. Default 10; 1 to 100.</summary>
    public int MaxIterations { get; init; } = 10;

    /// <summary>Times and bounds of the code and of its output. <see cref="SandboxToolOptions.Only"/> is not looked at: it is always <c>run_python</c> and <c>bash</c>.</summary>
    public SandboxToolOptions Tools { get; init; } = new();

    /// <summary>Throws for the first value that does not hold, naming it, its value and what it may be.</summary>
    internal void Check()
    {
        Require(Sandbox is not null, nameof(Sandbox), "null", "a request");
        Require(Enum.IsDefined(Scope), nameof(Scope), Scope, string.Join(", ", Enum.GetNames<CodeInterpreterScope>()));
        Require(MaxConversations is >= 1 and <= 10_000, nameof(MaxConversations), MaxConversations, "1 to 10,000");
        Require(MaxIterations is >= 1 and <= 100, nameof(MaxIterations), MaxIterations, "1 to 100");
        Tools.Check();
    }

    private static void Require(bool holds, string name, object value, string allowed)
    {
        if (!holds)
        {
            throw new ArgumentException($"CodeInterpreterOptions.{name} is '{value}'; it must be {allowed}.", name);
        }
    }
}

/// <summary>Who shares a sandbox, and when it ends.</summary>
public enum CodeInterpreterScope
{
    /// <summary>All requests of the client; it ends with the client.</summary>
    Client,

    /// <summary>The requests with one <c>ChatOptions.ConversationId</c>, which must be set; it ends with <see cref="CodeInterpreterChatClient.CloseConversationAsync"/> or the client.</summary>
    Conversation,

    /// <summary>Nobody: each request has its own, which ends with it, its files included.</summary>
    Request,
}
