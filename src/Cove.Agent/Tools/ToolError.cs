using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cove.Agent.Tools;

/// <summary>
/// Why a call failed, in the form a model can act on: <c>{"isError":true,"errorCategory":…,"isRetryable":…,"context":…,"remediation":…}</c>.
/// </summary>
public sealed record ToolError
{
    /// <summary>Always true: a result that carries this is a failure.</summary>
    [JsonPropertyOrder(-1)]
    public bool IsError { get; } = true;

    /// <summary>What kind of failure.</summary>
    public required ToolErrorCategory ErrorCategory { get; init; }

    /// <summary>Whether another try can succeed: of the same when the cause passes by itself, of corrected code or input when the category is one a model can mend.</summary>
    public required bool IsRetryable { get; init; }

    /// <summary>What happened, with the evidence: which line, which limit, which field.</summary>
    public required string Context { get; init; }

    /// <summary>What to do about it.</summary>
    public required string Remediation { get; init; }

    /// <summary>The JSON the model reads.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ToolJson.Wire.ToolError);
}

/// <summary>Kinds of failures of tools. Those down to <see cref="Input"/> are mended by other code or other input.</summary>
[JsonConverter(typeof(ToolErrorCategoryConverter))]
public enum ToolErrorCategory
{
    /// <summary>The code does not parse.</summary>
    Syntax,

    /// <summary>A name that is not defined, or an attribute that is not there.</summary>
    Name,

    /// <summary>A value of the wrong type.</summary>
    Type,

    /// <summary>A module that is not installed.</summary>
    MissingModule,

    /// <summary>Any other exception of the code, or a command's exit code.</summary>
    Exception,

    /// <summary>The wall time or the processor limit.</summary>
    Timeout,

    /// <summary>More output than is taken.</summary>
    OutputLimit,

    /// <summary>The call's input is wrong: correct the named field.</summary>
    Input,

    /// <summary>The memory limit.</summary>
    Memory,

    /// <summary>The sandbox or the other side forbids it.</summary>
    Permission,

    /// <summary>A rule of the one who runs the agent forbids it, or an approval was not given.</summary>
    Policy,

    /// <summary>A budget is spent: of calls, of time, of money.</summary>
    Budget,

    /// <summary>What is asked for is not there.</summary>
    NotFound,

    /// <summary>Too many requests; wait.</summary>
    RateLimited,

    /// <summary>The other side, the host or Cove failed.</summary>
    Unavailable,

    /// <summary>It was interrupted or killed.</summary>
    Interrupted,
}

/// <summary>Writes the categories as the words a model reads: <c>missing_module</c>.</summary>
internal sealed class ToolErrorCategoryConverter() : JsonStringEnumConverter<ToolErrorCategory>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false);

/// <summary>How results of tools are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ToolError))]
internal sealed partial class ToolJson : JsonSerializerContext
{
    public static ToolJson Wire => field ??= new(ModelJson.Relaxed(Default));
}
