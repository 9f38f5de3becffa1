using System.Text.Json;
using Xunit;

namespace Cove.Tests.ScriptedModel;

/// <summary>The script's turns answer what the messages lead to.</summary>
public sealed class PlaybackTests
{
    private const string Tools = "\"tools\":[{\"name\":\"run_python\",\"input_schema\":{\"type\":\"object\"}},{\"name\":\"bash\",\"input_schema\":{\"type\":\"object\"}}]";

    private const string Script = """
        turns:
          - text: Two at once.
            calls:
              - {tool: run_python, as: first, input: {code: "print(1)"}}
              - {tool: run_python, as: second, input: {code: "print(2)"}}
          - branches:
              - when: {tool_result: {of: second, is_error: true, contains: NameError}}
                capture: {name: "NameError: name '(\\w+)'"}
                goto: repaired
                calls:
                  - {tool: bash, input: {command: "echo {{name}} \\{{kept}}", list: ["{{ name }}"], number: 3}}
              - when: {tool_result: {of: second, path: "files[1].size", equals: "7"}}
                text: the file has 7
              - when: {tools: {none: true}}
                text: no tools left
              - otherwise: true
                capture:
                  total: {of: first, path: stdout, matches: '(\d+)'}
                text: total {{total}}
          - label: repaired
            text: repaired {{name}}
        """;

    private const string Question = """{"role":"user","content":"go"}""";

    [Fact]
    public async Task Results_choose_the_branch_and_what_was_captured_is_said()
    {
        await using var talk = await Talk.StartAsync(Script);
        var (_, first) = await talk.AskAsync(Talk.Request($"[{Question}]", Tools));
        Assert.Equal("tool_use", first.GetProperty("stop_reason").GetString());
        var history = $"{Question},{Assistant(first)}";
        var ids = Ids(first);
        Assert.Equal(2, ids.Distinct().Count());

        Assert.Equal("total 41", await talk.TextAsync($"[{history},{Results(ids, "{\"stdout\":\"it is 41\\n\"}", "fine")}]", Tools));
        Assert.Equal("the file has 7", await talk.TextAsync($"[{history},{Results(ids, "x", "{\"files\":[{},{\"size\":7}]}")}]", Tools));
        Assert.Equal("no tools left", await talk.TextAsync($"[{history},{Results(ids, "x", "y")}]", Tools + ",\"tool_choice\":{\"type\":\"none\"}"));

        var failed = Results(ids, "fine", "NameError: name 'np' is not defined", secondFails: true);
        var (_, repair) = await talk.AskAsync(Talk.Request($"[{history},{failed}]", Tools));
        var input = repair.GetProperty("content")[0].GetProperty("input");
        Assert.Equal("echo np {{kept}}", input.GetProperty("command").GetString());
        Assert.Equal("np", input.GetProperty("list")[0].GetString());
        Assert.Equal(3, input.GetProperty("number").GetInt32());

        // The walk through the history takes the same branch again and knows what was captured in it.
        var answered = $$"""{"role":"user","content":[{"type":"tool_result","tool_use_id":"{{Ids(repair)[0]}}"}]}""";
        Assert.Equal("repaired np", await talk.TextAsync($"[{history},{failed},{Assistant(repair)},{answered}]", Tools));
        Assert.Empty(talk.Server.Problems);
    }

    [Fact]
    public async Task The_same_request_is_answered_alike_and_conversations_do_not_disturb_each_other()
    {
        await using var talk = await Talk.StartAsync(Script);
        var bodies = Enumerable.Range(0, 20).Select(i => Talk.Request($$"""[{"role":"user","content":"go {{i % 10}}"}]""", Tools)).ToArray();
        var answers = await Task.WhenAll(bodies.Select(async body => (await talk.AskAsync(body)).Json.GetRawText()));
        Assert.Equal(10, answers.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(answers.Take(10), answers.Skip(10));
    }

    [Fact]
    public async Task What_does_not_fit_is_a_script_error_with_its_line()
    {
        await using var talk = await Talk.StartAsync("""
            turns:
              - expect:
                  message: {contains: please}
                text: yes
              - capture: {n: '\d+'}
                text: "{{n}}"
            """);
        Assert.Equal("400: The script does not fit: talk.yaml, line 3: What was expected did not come: the message should contain \"please\"; it is: go. Mend what the client or its tools did, or the script.", await talk.TextAsync($"[{Question}]"));
        Assert.Equal(3, Assert.Single(talk.Server.Problems).Line);
        const string Begun = """{"role":"user","content":"please"},{"role":"assistant","content":"yes"},{"role":"user","content":"and?"}""";
        Assert.Contains("line 5: There is nothing to capture as n: no tool result came", await talk.TextAsync($"[{Begun}]"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_turns_than_there_are_and_tools_that_are_not_offered_are_script_errors()
    {
        await using var talk = await Talk.StartAsync("turns:\n  - calls:\n      - tool: bash\n  - text: end");
        Assert.Contains("line 3: The turn calls bash, which the request does not let it call; it lets: none", await talk.TextAsync($"[{Question}]"), StringComparison.Ordinal);
        Assert.Contains("it lets: none", await talk.TextAsync($"[{Question}]", Tools + ",\"tool_choice\":{\"type\":\"none\"}"), StringComparison.Ordinal);
        const string Over = """{"role":"assistant","content":"a"},{"role":"user","content":"b"}""";
        Assert.Contains("line 4: The conversation has only 2 turns", await talk.TextAsync($"[{Question},{Over},{Over}]"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_opening_chooses_among_conversations()
    {
        await using var talk = await Talk.StartAsync("""
            conversations:
              - name: titles
                when: {system: {contains: title}}
                turns: [{text: A title}]
              - when: {message: {matches: '^sum'}, model: {contains: opus}}
                turns: [{text: A sum}, {text: Another}]
            """);
        Assert.Equal("A title", await talk.TextAsync($"[{Question}]", "\"system\":[{\"type\":\"text\",\"text\":\"Give a title.\"}]"));
        Assert.Equal("A sum", await talk.TextAsync("""[{"role":"user","content":"sum up"}]"""));
        Assert.Equal("Another", await talk.TextAsync("""[{"role":"user","content":"sum up"},{"role":"assistant","content":"A sum"},{"role":"user","content":"more"}]"""));
        Assert.Contains("No conversation begins with this: go", await talk.TextAsync($"[{Question}]"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_paused_turn_goes_on_whether_its_parts_come_back_joined_or_not()
    {
        await using var talk = await Talk.StartAsync("turns: [{text: one, stop_reason: pause_turn}, {text: two}, {text: three}]");
        Assert.Equal("two", await talk.TextAsync($$"""[{{Question}},{"role":"assistant","content":"one"}]"""));
        Assert.Equal("three", await talk.TextAsync($$"""[{{Question}},{"role":"assistant","content":"one"},{"role":"assistant","content":"two"},{{Question}}]"""));
        Assert.Equal("three", await talk.TextAsync($$"""[{{Question}},{"role":"assistant","content":"one two"},{{Question}}]"""));
    }

    private static string[] Ids(JsonElement answer) =>
        [.. answer.GetProperty("content").EnumerateArray().Where(b => b.GetProperty("type").GetString() == "tool_use").Select(b => b.GetProperty("id").GetString()!)];

    private static string Assistant(JsonElement answer)
    {
        var blocks = answer.GetProperty("content").EnumerateArray().Select(b => b.GetProperty("type").GetString() == "text"
            ? $$"""{"type":"text","text":{{b.GetProperty("text").GetRawText()}}}"""
            : b.GetRawText());
        return $$"""{"role":"assistant","content":[{{string.Join(',', blocks)}}]}""";
    }

    private static string Results(string[] ids, string first, string second, bool secondFails = false) =>
        $$"""{"role":"user","content":[{"type":"tool_result","tool_use_id":"{{ids[0]}}","content":{{Quoted(first)}}},{"type":"tool_result","tool_use_id":"{{ids[1]}}","content":[{"type":"text","text":{{Quoted(second)}}}],"is_error":{{(secondFails ? "true" : "false")}}}]}""";

    private static string Quoted(string text) => JsonSerializer.Serialize(text);
}
