using System.Security.Cryptography;
using Cove.Agent.Tools;
using Cove.Agent.Tools.Sandbox;
using Cove.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.ChatClients;

/// <summary>One sandbox that a model's code runs in, with what was put into it.</summary>
internal sealed class InterpreterSandbox : IDisposable
{
    private readonly ICove _cove;
    private readonly IReadOnlyList<AgentTool> _tools;
    private readonly SemaphoreSlim _putting = new(1, 1);
    private readonly Dictionary<string, string> _put = new(StringComparer.Ordinal);

    public InterpreterSandbox(ICove cove, SandboxId id, SandboxToolOptions options)
    {
        (_cove, Id) = (cove, id);
        _tools = SandboxToolset.Create(cove, id, options with { Only = new HashSet<string> { InterpreterContents.Python, SandboxTools.BashName } });
    }

    public SandboxId Id { get; }

    /// <summary>Whether an earlier sandbox of the same conversation ended, and with it what it held.</summary>
    public bool Renewed { get; init; }

    public bool Has(string tool) => _tools.Any(t => t.Name == tool);

    /// <summary>The tools as the model is told of them; it also learns which files are there.</summary>
    public IEnumerable<AITool> Declarations(IReadOnlyCollection<string> files)
    {
        var more = (Renewed ? " The sandbox is a new one: variables and files of earlier calls are gone." : "")
            + (files.Count == 0 ? "" : $" These files are there: {string.Join(", ", files)}.");
        return _tools.Select(tool => AIFunctionFactory.CreateDeclaration(tool.Name, tool.Description + more, tool.JsonSchema));
    }

    /// <summary>Runs one call; what fails is in the result.</summary>
    public Task<ToolResult> CallAsync(FunctionCallContent call, CancellationToken cancellationToken)
    {
        if (call.Exception is { } unreadable)
        {
            var error = new ToolError { ErrorCategory = ToolErrorCategory.Input, IsRetryable = true, Context = $"The input could not be read: {unreadable.Message}", Remediation = "Send the input as a JSON object." };
            return Task.FromResult(ToolResult.Failed(error));
        }

        var tool = _tools.First(t => t.Name == call.Name);
        return tool.CallAsync(new ToolCall { Id = call.CallId, Name = call.Name, Input = ToolInput.From(call.Arguments ?? new Dictionary<string, object?>()) }, cancellationToken);
    }

    /// <summary>Puts the inputs of the hosted tool where the code finds them, each once, and says where.</summary>
    public async Task<IReadOnlyCollection<string>> PutAsync(IEnumerable<AIContent> inputs, CancellationToken cancellationToken)
    {
        await _putting.WaitAsync(cancellationToken);
        try
        {
            var paths = new List<string>();
            foreach (var input in inputs)
            {
                paths.Add(await PutAsync(input, cancellationToken));
            }

            return paths;
        }
        finally
        {
            _putting.Release();
        }
    }

    public void Dispose()
    {
        _putting.Dispose();
        foreach (var tool in _tools.OfType<IDisposable>())
        {
            tool.Dispose();
        }
    }

    private async Task<string> PutAsync(AIContent input, CancellationToken cancellationToken)
    {
        switch (input)
        {
            case DataContent data:
                var key = $"{data.Name}\0{Convert.ToHexStringLower(SHA256.HashData(data.Data.Span))}";
                return await OnceAsync(key, data.Name, data.MediaType, () => Task.FromResult<Stream>(new MemoryStream(data.Data.ToArray(), writable: false)), cancellationToken);
            case HostedFileContent file when SandboxFileId.TryParse(file.FileId, out var id):
                return id.Sandbox == Id ? id.Path : await OnceAsync(
                    file.FileId, file.Name ?? Path.GetFileName(id.Path), file.MediaType, () => _cove.ReadFileAsync(id.Sandbox, id.Path, cancellationToken: cancellationToken), cancellationToken);
            case HostedFileContent:
                throw new ArgumentException("An input of the HostedCodeInterpreterTool is a file of another service. Upload it with a SandboxFileClient and give the id that returns, or give its bytes as DataContent.", nameof(input));
            default:
                throw new ArgumentException($"An input of the HostedCodeInterpreterTool is a {input.GetType().Name}. Give DataContent or HostedFileContent.", nameof(input));
        }
    }

    private async Task<string> OnceAsync(string key, string? name, string? mediaType, Func<Task<Stream>> open, CancellationToken cancellationToken)
    {
        if (_put.TryGetValue(key, out var path))
        {
            return path;
        }

        path = $"/workspace/{Free(FileNames.Safe(name, mediaType))}";
        await using var content = await open();
        await _cove.WriteFileAsync(Id, path, content, cancellationToken: cancellationToken);
        return _put[key] = path;
    }

    /// <summary>A name that no other input has.</summary>
    private string Free(string name) =>
        Enumerable.Range(1, int.MaxValue).Select(number => FileNames.Numbered(name, number)).First(free => !_put.ContainsValue($"/workspace/{free}"));
}
