using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Cove.Agent.Mcp;

/// <summary>One MCP server, as hosts write them down: <c>{"command", "args", "env"}</c> for one that is started, <c>{"url", "headers"}</c> for one that runs.</summary>
internal sealed partial record McpServerEntry
{
    /// <summary><c>stdio</c> or <c>http</c>. Default: as there is a command or a URL.</summary>
    public string? Type { get; init; }

    /// <summary>The program: an absolute path, or a name that is found on <c>PATH</c>.</summary>
    public string? Command { get; init; }

    /// <summary>Its arguments.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>Its environment beside <c>PATH</c>, <c>HOME</c> and <c>LANG</c>; <c>${NAME}</c> stands for a variable of ours.</summary>
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    /// <summary>Where it listens: http or https.</summary>
    public Uri? Url { get; init; }

    /// <summary>Headers of each request; <c>${NAME}</c> stands for a variable of ours.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>Reads the file that names the servers.</summary>
    public static async Task<IReadOnlyDictionary<string, McpServerEntry>> ReadAsync(string path, CancellationToken cancellationToken)
    {
        McpServerFile? file;
        try
        {
            await using var content = File.OpenRead(path);
            file = await JsonSerializer.DeserializeAsync(content, McpFileJson.Default.McpServerFile, cancellationToken);
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            throw McpErrors.File(path, failure.Message, failure);
        }

        foreach (var (name, entry) in file?.McpServers ?? new Dictionary<string, McpServerEntry>())
        {
            entry.Check(path, name);
        }

        return file?.McpServers ?? throw McpErrors.File(path, "It names no servers.", null);
    }

    /// <summary>A value with the variables it names put in.</summary>
    public static string Expand(string text, string where, Func<string, string?> variable) =>
        Placeholder().Replace(text, match => variable(match.Groups["name"].Value) ?? throw McpErrors.Variable(where, match.Groups["name"].Value));

    private void Check(string path, string name)
    {
        if (!ServerName().IsMatch(name))
        {
            throw McpErrors.File(path, $"The server's name '{name}' is not acceptable: write 1 to 32 of a-z, A-Z, 0-9, - and single _.", null);
        }

        if (Type is not (null or "stdio" or "http") || (Command is null) == (Url is null) || (Type == "stdio" && Command is null) || (Type == "http" && Url is null))
        {
            throw McpErrors.File(path, $"The server '{name}' has neither a command (type stdio) nor a url (type http), or both.", null);
        }

        if (Command is { } command && command.Contains('/', StringComparison.Ordinal) && !Path.IsPathRooted(command))
        {
            throw McpErrors.File(path, $"The server '{name}' has the command '{command}': give an absolute path or a bare name. What lies in the working directory is never started.", null);
        }

        if (Url is { } url && url is not { IsAbsoluteUri: true, Scheme: "http" or "https", UserInfo: "" })
        {
            throw McpErrors.File(path, $"The server '{name}' has the url '{url}': give http:// or https://, without a user.", null);
        }
    }

    [GeneratedRegex(@"\$\{(?<name>[A-Za-z_][A-Za-z0-9_]*)\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Placeholder();

    [GeneratedRegex("^(?!.*__)[a-zA-Z0-9_-]{1,32}$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ServerName();
}

/// <summary>The file that names servers.</summary>
internal sealed record McpServerFile
{
    /// <summary>The servers by name.</summary>
    [JsonPropertyName("mcpServers")]
    public IReadOnlyDictionary<string, McpServerEntry>? McpServers { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, AllowDuplicateProperties = false, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true)]
[JsonSerializable(typeof(McpServerFile))]
internal sealed partial class McpFileJson : JsonSerializerContext;
