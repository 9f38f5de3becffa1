using System.Text.Json;

namespace Cove.ScriptedModel;

/// <summary>A request as it came, for tests to look at.</summary>
public sealed record ReceivedRequest
{
    /// <summary>The method, for example <c>POST</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The path with its query.</summary>
    public required string Path { get; init; }

    /// <summary>The headers, by name whatever its case. The key is in it: this server is for tests and demonstrations.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    /// <summary>The body as text.</summary>
    public required string Body { get; init; }

    /// <summary>The status code it was answered with; 0 when the script broke the connection, or while it is not answered.</summary>
    public int Status { get; internal set; }

    /// <summary>The body as JSON; undefined when it is none.</summary>
    public JsonElement Json
    {
        get
        {
            try
            {
                using var document = JsonDocument.Parse(Body);
                return document.RootElement.Clone();
            }
            catch (JsonException)
            {
                return default;
            }
        }
    }
}
