using Cove.ScriptedModel;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.ScriptedModel;

/// <summary>A script that can't mean anything is refused when it is read, with the line and what to write instead.</summary>
public sealed class ScriptReaderTests
{
    [Theory]
    [InlineData("turns:\n  - txt: hello", 2, "does not know txt", "Write one of: blocks,")]
    [InlineData("turns:\n  - text: a\n    calls:\n      - tol: x", 4, "has no tool", "Add `tool: …`.")]
    [InlineData("turns:\n  - text: a\n    stop_reason: done", 3, "stop_reason is \"done\"", "Write one of: end_turn,")]
    [InlineData("turns:\n  - text: a\n    delay: 5", 3, "delay is \"5\"", "250ms, 2s or 1m")]
    [InlineData("turns:\n  - text: 'a {{b}}'", 2, "Nothing is captured as b", "Add it to `capture`")]
    [InlineData("turns:\n  - text: a\n    goto: there", 2, "no turn with the label there", "Add `label:`")]
    [InlineData("turns:\n  - {text: a, label: x}\n  - {text: b, label: x}", 3, "two turns with the label x", "Rename one.")]
    [InlineData("turns:\n  - stop_sequence: x\n    text: a\n    capture:\n      n: '('", 4, "capture is no regular expression", "Correct the pattern")]
    [InlineData("turns:\n  - expect:\n      tool_result: {}\n    text: a", 3, "tool_result says nothing to look for", "Add contains,")]
    [InlineData("turns:\n  - expect: {}\n    text: a", 2, "expect says nothing", "Add tool_result,")]
    [InlineData("turns:\n  - branches:\n      - text: a", 3, "either a condition or none", "`otherwise: true`")]
    [InlineData("turns:\n  - branches:\n      - {otherwise: true, text: a}\n      - {when: {message: {contains: x}}, text: b}", 3, "after `otherwise` can't be reached", "Make it the last one.")]
    [InlineData("turns:\n  - faults:\n      - error: overloaded", 3, "error is \"overloaded\"", "overloaded_error")]
    [InlineData("turns:\n  - faults:\n      - error: overloaded_error", 2, "The turn says nothing", "`times: always`")]
    [InlineData("turns:\n  - text: a\n    faults:\n      - {error: api_error, drop: mid_block}", 4, "names 2 things", "Write one of: error,")]
    [InlineData("turns: []", 1, "turns is not a list, or empty", "`- `")]
    [InlineData("text: a", 1, "There are no turns", "Add `turns:`")]
    [InlineData("conversations:\n  - turns: [{text: a}]\nturns: [{text: a}]", 3, "both conversations and turns", "Put the turns")]
    [InlineData("turns:\n  - text: [a]", 2, "text is not a text", "Write a text")]
    [InlineData("turns:\n  - text: a\n   calls: b", 3, "This is not YAML", "indentation")]
    [InlineData("turns:\n  - text: &a x\n  - text: *a", 3, "Aliases are not taken", "")]
    [InlineData("turns:\n  - text: a\n    text: b", 3, "This is not YAML", "")]
    [InlineData("a\n---\nb", 1, "holds 2 documents", "Write one script")]
    [InlineData("turns:\n  - calls:\n      - {tool: x, input: {a: 1}, raw_input: y}", 3, "both input and raw_input", "Keep one")]
    public async Task A_mistake_is_named_with_its_line_and_its_remedy(string script, int line, string problem, string fix)
    {
        var error = await Assert.ThrowsAsync<ScriptException>(() => ScriptedModelServer.StartTextAsync(script, TimeProvider.System, "it.yaml"));
        Assert.Contains(problem, error.Problem, StringComparison.Ordinal);
        Assert.Equal(line, error.Line);
        Assert.Contains(fix, error.Fix, StringComparison.Ordinal);
        Assert.StartsWith($"it.yaml, line {line}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_scripts_of_the_documentation_are_scripts()
    {
        var parts = (await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "docs", "scripted-model.md"))).Split("```yaml\n");
        Assert.True(parts.Length > 2, "The document shows scripts.");
        foreach (var part in parts.Skip(1))
        {
            await using var server = await ScriptedModelServer.StartTextAsync(part[..part.IndexOf("```", StringComparison.Ordinal)], TimeProvider.System);
        }
    }

    [Fact]
    public async Task A_file_that_is_not_there_or_too_long_is_refused()
    {
        using var directory = new TemporaryDirectory();
        var path = Path.Combine(directory.Path, "script.yaml");
        var missing = await Assert.ThrowsAsync<ScriptException>(() => ScriptedModelServer.StartAsync(path, TimeProvider.System));
        Assert.Contains("can't be read", missing.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, new string('#', (1 << 20) + 1));
        var big = await Assert.ThrowsAsync<ScriptException>(() => ScriptedModelServer.StartAsync(path, TimeProvider.System));
        Assert.Contains("longer than", big.Message, StringComparison.Ordinal);
    }
}
