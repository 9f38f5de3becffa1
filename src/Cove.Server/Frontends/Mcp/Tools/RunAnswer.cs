using System.ComponentModel;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>How a run went.</summary>
internal sealed record RunAnswer
{
    [Description("ok, guest_error (the program failed), timed_out, out_of_memory, output_limit, interrupted, killed, refused or infrastructure_failure.")]
    public required RunOutcome Outcome { get; init; }

    [Description("0 after success; of code 1 after an exception; 128 plus the signal when one ended it; null when there is none.")]
    public required int? ExitCode { get; init; }

    [Description("What it wrote to standard output; of much the beginning and the end.")]
    public required string Stdout { get; init; }

    [Description("What it wrote to standard error, and at its end the traceback of an exception; of much the beginning and the end.")]
    public required string Stderr { get; init; }

    [Description("The value of the last expression as text; null when there was none.")]
    public required string? Result { get; init; }

    [Description("What it displayed on the way, as text; figures follow as images.")]
    public required string Display { get; init; }

    [Description("Wall time in milliseconds, measured outside the sandbox.")]
    public required double DurationMs { get; init; }

    [Description("Whether stdout, stderr, result or display is shortened.")]
    public required bool Truncated { get; init; }

    [Description("Files in the sandbox that hold shortened streams whole: read them with read_file.")]
    public required IReadOnlyList<string> FullOutput { get; init; }

    [Description("Whether the kernel's variables were lost.")]
    public required bool StateLost { get; init; }

    [Description("Files in /workspace that it made or changed; only of a sandbox that stays.")]
    public required IReadOnlyList<FileLink> Files { get; init; }

    [Description("How many images follow as content.")]
    public required int Images { get; init; }

    [Description("What else there is to know.")]
    public required IReadOnlyList<string> Notices { get; init; }

    [Description("The sandbox it ran in; null when that was a fresh one and is gone.")]
    public required string? SandboxId { get; init; }

    [Description("What went wrong and what to do about it; null after success.")]
    public required ErrorAnswer? Error { get; init; }
}

/// <summary>A file that can be read as a resource.</summary>
internal sealed record FileLink
{
    [Description("Its path in the sandbox.")]
    public required string Path { get; init; }

    [Description("Its resource: resources/read.")]
    public required string Uri { get; init; }

    [Description("Its length in bytes.")]
    public required long SizeBytes { get; init; }

    [Description("What it seems to be by its name.")]
    public required string MediaType { get; init; }
}
