using System.Globalization;
using System.Text.Json;
using Cove.Agent.Transcripts;
using Cove.Cli.Running;

namespace Cove.Cli.Agents;

/// <summary>Lines of a transcript, for a reader. All of it may be hostile: nothing reaches the terminal unescaped.</summary>
internal static class TranscriptPrinter
{
    private const string Margin = "  ";

    public static string Print(TranscriptLine line) => line switch
    {
        StartLine start => $"{At(line)} run {Plain(start.CorrelationId)}{(start.Model is { } model ? " with " + Plain(model) : "")}",
        MessageLine message => string.Join('\n', message.Content.OfType<TranscriptBlock>().Select(block => Block(message, block)).Where(text => text.Length > 0)),
        UsageLine usage => $"{At(line)} tokens: {Number(usage.InputTokens + usage.CacheReadTokens + usage.CacheWriteTokens)} in, {Number(usage.OutputTokens)} out, {Number(usage.TotalTokens)} until now{Cost(usage.Cost)}",
        RetryLine retry => $"{At(line)} the model failed and was asked again after {retry.DelayMs} ms: {Plain(retry.Failure.Message)}",
        ToolLine tool => $"{At(line)} {Plain(tool.Name)} {(tool.Error is { } error ? "failed: " + Plain(error) : "ended")} after {tool.DurationMs} ms",
        HostCallLine call => $"{At(line)} ⇢ {Plain(call.Name)} {Plain(call.Input?.GetRawText() ?? "")} of [{Plain(call.ToolUseId)}] {(call.Error is { } error ? $"failed: {Plain(error)}: {Plain(call.Message ?? "")}" : "ended")} after {call.DurationMs} ms",
        BudgetLine budget => $"{At(line)} budget spent: {Plain(budget.Reason)}",
        EndLine { Result: var result } => $"{At(line)} end: {JsonNamingPolicy.SnakeCaseLower.ConvertName(result.Outcome.ToString())}. {Plain(result.Reason)} Turns {result.Iterations}, code {result.CodeAttempts}, retries {result.Retries}, tokens {Number(result.TotalTokens)}{Cost(result.Cost)}",
        _ => "",
    };

    private static string Block(MessageLine message, TranscriptBlock block) => block.Type switch
    {
        "text" => $"{At(message)} {Plain(message.Role)}:\n{Printable.Indented(block.Text ?? "", Margin)}",
        "reasoning" => $"{At(message)} {Plain(message.Role)} thinks:\n{Printable.Indented(block.Text ?? "", Margin)}",
        "tool_use" => $"{At(message)} ▶ {Plain(block.Name ?? "")} [{Plain(block.Id ?? "")}]\n{Printable.Indented(Input(block.Input), Margin)}",
        "tool_result" => $"{At(message)} {(block.IsError == true ? "✗" : "✓")} [{Plain(block.Id ?? "")}]\n{string.Join('\n', (block.Content ?? []).OfType<TranscriptBlock>().Select(Part))}",
        _ => $"{At(message)} {Plain(block.Type)} {Plain(block.Input?.GetRawText() ?? "")}",
    };

    private static string Part(TranscriptBlock part) => part.Type == "data"
        ? $"{Margin}[{Plain(part.MediaType ?? "data")}, {Number(part.SizeBytes ?? 0)} bytes]"
        : Printable.Indented(ResultText.Of(part.Text ?? ""), Margin);

    private static string Input(JsonElement? input) => input switch
    {
        { ValueKind: JsonValueKind.Object } json when json.TryGetProperty("code", out var code) && code.ValueKind is JsonValueKind.String => Text(code),
        { } json => json.GetRawText(),
        null => "(no input)",
    };

    private static string Text(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return text.GetRawText(); // half of a surrogate pair, as an escape
        }
    }

    private static string Plain(string text) => Printable.Of(text).ReplaceLineEndings(" ");

    private static string At(TranscriptLine line) => line.Time.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Number(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Cost(decimal? cost) => cost is { } known ? ", $" + known.ToString("0.0000", CultureInfo.InvariantCulture) : "";
}
