using System.Text.Json;
using Cove.Agent.HttpTools;
using Cove.Agent.Secrets;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Tests.Support;

/// <summary>Declared tools before a <see cref="FakeApi"/>. In a declaration <c>BASE</c> stands for its address.</summary>
internal sealed class ToolBench : IAsyncDisposable
{
    public const string Token = "ghp_9f+8/e7D=6c\"5bA4&zZ~q";

    private readonly TemporaryDirectory _directory;

    private ToolBench(TemporaryDirectory directory, FakeApi api, HttpToolset set, SecretStore secrets, RecordedLog log)
    {
        (_directory, Api, Set, Secrets, Log) = (directory, api, set, secrets, log);
    }

    public FakeApi Api { get; }

    public HttpToolset Set { get; }

    public SecretStore Secrets { get; }

    public RecordedLog Log { get; }

    public static async Task<ToolBench> StartAsync(string declaration, Func<HttpToolsetOptions, HttpToolsetOptions>? change = null, string extension = ".yaml")
    {
        var api = await FakeApi.StartAsync();
        var directory = new TemporaryDirectory();
        var log = new RecordedLog();
        var secrets = new SecretStore(new EnvironmentSecrets(name => name switch { "TOKEN" or "GITHUB_TOKEN" or "SLACK_BOT_TOKEN" => Token, _ => null }));
        var options = new HttpToolsetOptions { Log = log, UserAgent = "cove/test" };
        try
        {
            var path = Path.Combine(directory.Path, "tools" + extension);
            await File.WriteAllTextAsync(path, declaration.Replace("BASE", api.Address, StringComparison.Ordinal));
            return new ToolBench(directory, api, HttpToolset.Load(path, secrets, change?.Invoke(options) ?? options), secrets, log);
        }
        catch
        {
            await api.DisposeAsync();
            directory.Dispose();
            throw;
        }
    }

    /// <summary>One tool, of a request and whatever else; the text is indented as fields of a tool.</summary>
    public static string Tool(string fields, string schema = "{type: object, properties: {}}") =>
        "tools:\n  - name: it\n    description: Does it.\n    allow_private: true\n    input_schema: " + schema + "\n" + string.Concat(fields.Split('\n').Select(line => "    " + line + "\n"));

    public async Task<ToolResult> CallAsync(string input = "{}", CancellationToken cancellationToken = default)
    {
        using var document = JsonDocument.Parse(input);
        return await Set[0].CallAsync(new ToolCall { Id = "", Name = Set[0].Name, Input = document.RootElement }, cancellationToken);
    }

    /// <summary>All that a model, a log or a program could read of a result.</summary>
    public string Everything(ToolResult result) =>
        string.Join('\n', result.Content.Select(content => ((TextContent)content).Text)) + result.Structured + result.Error?.ToJson() + string.Join('\n', Log.Lines.Select(line => line.Text))
        + Set[0].Name + Set[0].Description + Set[0].JsonSchema + Set[0].ReturnJsonSchema;

    public async ValueTask DisposeAsync()
    {
        Set.Dispose();
        await Api.DisposeAsync();
        _directory.Dispose();
    }
}
