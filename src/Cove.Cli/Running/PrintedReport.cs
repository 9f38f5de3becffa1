using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cove.Cli.Running;

/// <summary>What <c>cove run --json</c> prints: everything about one run as one object.</summary>
internal sealed record PrintedReport
{
    /// <summary>How the run ended; null when it could not be started.</summary>
    public RunResult? Result { get; init; }

    /// <summary>Why it could not be started; null when it was.</summary>
    public RunError? Error { get; init; }

    /// <summary>The exit code of the command.</summary>
    public required int ExitCode { get; init; }

    public string Stdout { get; init; } = "";

    public string Stderr { get; init; } = "";

    public IReadOnlyList<ReportedDisplay> Displays { get; init; } = [];

    public IReadOnlyList<ReportedNotice> Notices { get; init; } = [];

    public IReadOnlyList<ReportedFile> Files { get; init; } = [];

    /// <summary>The sandbox it ran in, as it was made; gone by now.</summary>
    public SandboxInfo? Sandbox { get; init; }

    /// <summary>The run's id, which the engine's log and journal carry too.</summary>
    public RunId? Run { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Printed.PrintedReport);
}

internal sealed record ReportedDisplay(bool IsResult, IReadOnlyDictionary<string, string> Data);

internal sealed record ReportedNotice(string Code, string Message);

/// <summary>A file the run made; <c>saved_as</c> is its path below <c>--out</c>.</summary>
internal sealed record ReportedFile(string? Path, long SizeBytes, string? SavedAs);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(Rfc3339Converter)])]
[JsonSerializable(typeof(PrintedReport))]
internal sealed partial class ReportJson : JsonSerializerContext
{
    public static ReportJson Printed => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
