using System.Globalization;
using System.Text;
using System.Text.Json;
using Cove.Agent.Tools;
using Cove.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.ChatClients;

/// <summary>Calls and results as callers see them, in the form Anthropic's adapter gives its hosted tool, and as the model's client does. Pure.</summary>
internal static class InterpreterContents
{
    public const string Python = "run_python";
    private const string PythonType = "text/x-python";
    private const string ShellType = "application/x-sh";

    /// <summary>What a caller sees of a call.</summary>
    public static CodeInterpreterToolCallContent Shown(FunctionCallContent call)
    {
        var bash = call.Name == SandboxTools.BashName;
        var code = Text(call.Arguments, bash ? "command" : "code");
        return new CodeInterpreterToolCallContent(call.CallId)
        {
            Inputs = [new DataContent(Encoding.UTF8.GetBytes(code), bash ? ShellType : PythonType)],
            RawRepresentation = call,
        };
    }

    /// <summary>What a caller sees of a result: what was printed, then what went wrong, then pictures and files.</summary>
    public static CodeInterpreterToolResultContent Shown(FunctionResultContent answer, ToolResult result, SandboxId sandbox)
    {
        var outputs = new List<AIContent>();
        var structured = result.Structured is { ValueKind: JsonValueKind.Object } json ? json : default;
        if (structured.ValueKind == JsonValueKind.Object)
        {
            Add(outputs, Member(structured, "stdout"));
            Add(outputs, Member(structured, "displayed"));
            Add(outputs, Member(structured, "result"));
            var code = structured.TryGetProperty("exit_code", out var exit) && exit.TryGetInt32(out var number) ? number : 0;
            if (!string.IsNullOrWhiteSpace(Member(structured, "stderr")) || code != 0)
            {
                outputs.Add(new ErrorContent(Member(structured, "stderr")) { ErrorCode = code.ToString(CultureInfo.InvariantCulture), Details = result.Error?.Remediation });
            }
        }
        else
        {
            Add(outputs, result.Content.OfType<TextContent>().FirstOrDefault()?.Text ?? "");
            if (result.Error is { } error)
            {
                outputs.Add(new ErrorContent(error.Context) { ErrorCode = error.ErrorCategory.ToString(), Details = error.Remediation });
            }
        }

        outputs.AddRange(result.Content.OfType<DataContent>());
        outputs.AddRange(result.Artifacts.Select(a => new HostedFileContent(new SandboxFileId(sandbox, a.Path).ToString()) { Name = Path.GetFileName(a.Path), MediaType = a.MediaType }));
        return new CodeInterpreterToolResultContent(answer.CallId) { Outputs = outputs, RawRepresentation = answer };
    }

    /// <summary>What the model's client is given as the result: text as it is, for clients write anything else as JSON, indented and escaped, which models pay for.</summary>
    public static FunctionResultContent Answer(string callId, ToolResult result) =>
        new(callId, result.Content is [TextContent only] ? only.Text : result.Content.ToList());

    /// <summary>The call as the model made it; of one that was stored and read again, what its inputs say.</summary>
    public static FunctionCallContent Call(CodeInterpreterToolCallContent shown)
    {
        if (shown.RawRepresentation is FunctionCallContent call)
        {
            return call;
        }

        var input = shown.Inputs?.OfType<DataContent>().FirstOrDefault();
        var text = input is null ? "" : Encoding.UTF8.GetString(input.Data.Span);
        return input?.MediaType == ShellType
            ? new FunctionCallContent(shown.CallId, SandboxTools.BashName, new Dictionary<string, object?> { ["command"] = text })
            : new FunctionCallContent(shown.CallId, Python, new Dictionary<string, object?> { ["code"] = text });
    }

    /// <summary>The result as the model was given it; of one that was stored and read again, what its outputs say.</summary>
    public static FunctionResultContent Answer(CodeInterpreterToolResultContent shown)
    {
        if (shown.RawRepresentation is FunctionResultContent answer)
        {
            return answer;
        }

        var said = (shown.Outputs ?? []).Select(output => output switch
        {
            TextContent text => text.Text,
            ErrorContent error => $"{error.Message}\nexit code {error.ErrorCode}",
            HostedFileContent file => $"[file {file.Name ?? file.FileId}]",
            _ => null,
        });
        var whole = string.Join('\n', said.OfType<string>());
        return new FunctionResultContent(shown.CallId, whole.Length == 0 ? "(no output)" : whole);
    }

    private static void Add(List<AIContent> outputs, string text)
    {
        if (text.Length > 0)
        {
            outputs.Add(new TextContent(text));
        }
    }

    private static string Member(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string Text(IDictionary<string, object?>? arguments, string name) => arguments?.TryGetValue(name, out var value) is not true ? "" : value switch
    {
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } json => json.GetString()!,
        _ => "",
    };
}
