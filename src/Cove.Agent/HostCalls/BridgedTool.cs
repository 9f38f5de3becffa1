using System.Text;
using System.Text.Json;
using Cove.Agent.Schemas;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.HostCalls;

/// <summary>One tool as code in a sandbox can call it: declared, its arguments checked, its result as JSON.</summary>
internal sealed class BridgedTool
{
    private readonly AIFunction _function;
    private readonly ArgumentSchema _schema;

    public BridgedTool(AIFunction function)
    {
        ArgumentNullException.ThrowIfNull(function);
        _function = HostTool.IsName(function.Name) ? function : throw new ArgumentException(
            $"The tool's name '{Excerpts.OneLine(function.Name, 80)}' can't be used; give a letter or '_' and up to 63 of A-Z, a-z, 0-9, '_' and '-', not beginning with two underscores.", nameof(function));
        _schema = Schema(function);
        Declaration = new HostTool { Name = function.Name, Description = function.Description, InputSchema = function.JsonSchema is { ValueKind: JsonValueKind.Object } schema ? schema : null };
    }

    public string Name => _function.Name;

    public HostTool Declaration { get; }

    /// <summary>What is wrong with arguments, a sentence each; nothing when they may be used.</summary>
    public IReadOnlyList<string> Faults(JsonElement arguments) => _schema.Faults(arguments.GetRawText());

    public async Task<HostAnswer> CallAsync(HostCall call, CancellationToken cancellationToken)
    {
        if (_function is AgentTool own)
        {
            var result = await own.CallAsync(new ToolCall { Id = call.CallId, Name = call.Tool, Input = call.Arguments, CorrelationId = call.CorrelationId }, cancellationToken);
            return result.Error is { } error ? ToolAnswers.Of(error) : ToolAnswers.Of(result.ForAnyAgent());
        }

        var arguments = new AIFunctionArguments();
        foreach (var property in call.Arguments.EnumerateObject())
        {
            arguments[property.Name] = property.Value;
        }

        return ToolAnswers.Of(await _function.InvokeAsync(arguments, cancellationToken));
    }

    /// <summary>The names of the arguments, for a reader: <c>(city, days?)</c>.</summary>
    public static string Signature(JsonElement? schema)
    {
        var text = new StringBuilder("(");
        if (schema is { ValueKind: JsonValueKind.Object } given && given.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
        {
            var required = given.TryGetProperty("required", out var names) && names.ValueKind == JsonValueKind.Array
                ? names.EnumerateArray().Where(n => n.ValueKind == JsonValueKind.String).Select(n => n.GetString()).ToHashSet() : [];
            text.AppendJoin(", ", properties.EnumerateObject().Select(p => required.Contains(p.Name) ? p.Name : p.Name + "?"));
        }

        return text.Append(')').ToString();
    }

    private static ArgumentSchema Schema(AIFunction function)
    {
        try
        {
            return new ArgumentSchema(function.JsonSchema);
        }
        catch (FormatException failure)
        {
            throw new ArgumentException($"The schema of the tool '{function.Name}' can't be used: {failure.Message}.", nameof(function), failure);
        }
    }
}
