using System.Text.Json.Nodes;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Answers;

/// <summary>What a call came to, with what a server needs to answer in HTTP's own words.</summary>
internal sealed record HttpToolAnswer
{
    /// <summary>The result; null after a failure.</summary>
    public JsonObject? Value { get; init; }

    public ToolError? Error { get; init; }

    /// <summary>A machine's name for the failure.</summary>
    public string Code { get; init; } = "";

    /// <summary>The status of the other side; 0 when there was no answer.</summary>
    public int Status { get; init; }

    /// <summary>How long to wait before another call makes sense; null when nobody knows.</summary>
    public TimeSpan? Wait { get; init; }

    public static HttpToolAnswer Of(JsonObject value, int status) => new() { Value = value, Status = status };

    public static HttpToolAnswer Failed(string code, ToolErrorCategory category, bool retryable, string context, string remediation, int status = 0, TimeSpan? wait = null) => new()
    {
        Code = code,
        Status = status,
        Wait = wait,
        Error = new ToolError { ErrorCategory = category, IsRetryable = retryable, Context = context, Remediation = remediation },
    };
}
