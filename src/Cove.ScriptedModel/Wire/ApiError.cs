using System.Text.Json.Nodes;

namespace Cove.ScriptedModel.Wire;

/// <summary>A request that the API refuses.</summary>
internal sealed class ApiException(int status, string type, string message, string? errorCode = null) : Exception(message)
{
    public int Status => status;

    public string Type => type;

    public string? ErrorCode => errorCode;

    public static ApiException Invalid(string message, string? errorCode = null) => new(400, "invalid_request_error", message, errorCode);
}

/// <summary>The envelope of errors.</summary>
internal static class ErrorEnvelope
{
    public static JsonObject Of(string type, string message, string? errorCode, string requestId)
    {
        var error = new JsonObject { ["type"] = type, ["message"] = message };
        if (errorCode is not null)
        {
            error["details"] = new JsonObject { ["error_code"] = errorCode };
        }

        return new JsonObject { ["type"] = "error", ["error"] = error, ["request_id"] = requestId };
    }
}
