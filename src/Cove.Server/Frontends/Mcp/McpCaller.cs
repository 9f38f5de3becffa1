using Cove.Server.Hosting;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Cove.Server.Frontends.Mcp;

/// <summary>Who asks, as the tools see it: the same over HTTP and over a pipe.</summary>
internal sealed record McpCaller
{
    private const string Item = "cove.caller";

    /// <summary>The caller's own view of the engine.</summary>
    public required ICove Cove { get; init; }

    /// <summary>What the caller may do.</summary>
    public required Scopes Scopes { get; init; }

    /// <summary>What the caller's logs know this request by; null when there is nothing.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>Told of every sandbox that a tool makes (true) and ends (false).</summary>
    public Action<SandboxId, bool> Lives { get; init; } = static (_, _) => { };

    /// <summary>Told what a message turned out to do, before it does: the operation, and whether it changes something.</summary>
    public Action<string, bool> Does { get; init; } = static (_, _) => { };

    /// <summary>Told why it came to nothing: the error's code, and the limit that was reached.</summary>
    public Action<string, string?> Fails { get; init; } = static (_, _) => { };

    /// <summary>Gives a message its caller. Each message of a session has its own: quotas and records are per request.</summary>
    public void Stamp(JsonRpcMessage message)
    {
        message.Context ??= new JsonRpcMessageContext();
        message.Context.Items ??= new Dictionary<string, object?>();
        message.Context.Items[Item] = this;
    }

    /// <summary>Whose message it is.</summary>
    public static McpCaller? Of(MessageContext message) =>
        message.JsonRpcMessage.Context?.Items?.TryGetValue(Item, out var caller) == true ? (McpCaller)caller! : null;
}
