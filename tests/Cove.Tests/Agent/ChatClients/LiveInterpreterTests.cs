#pragma warning disable MEAI001 // hosted files are experimental in Microsoft.Extensions.AI
using Anthropic;
using Cove.Agent.ChatClients;
using Cove.ScriptedModel;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.ChatClients;

/// <summary>Code written for Anthropic's hosted tool runs in a sandbox of ours: the official client, the scripted model, the real engine.</summary>
public sealed class LiveInterpreterTests(LiveEngine engine)
{
    private const string Script = """
        turns:
          - text: Let me see.
            calls:
              - tool: run_python
                input:
                  code: |
                    total = sum(int(line.split(",")[1]) for line in open("/workspace/sales.csv"))
                    open("/workspace/report.txt", "w").write(f"total {total}")
                    print("total", total)
          - capture: {total: {path: stdout, matches: 'total (\d+)'}}
            calls: [{tool: run_python, input: {code: "print(total / 0)"}}]
          - expect: {tool_result: {contains: ZeroDivisionError}}
            calls: [{tool: bash, input: {command: "cat /workspace/report.txt"}}]
          - expect: {tool_result: {contains: total 42}}
            text: The total is {{total}}.
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_official_client_gets_an_exact_answer_from_code_that_ran(bool streaming)
    {
        var cove = await engine.GetAsync();
        await using var server = await ScriptedModelServer.StartTextAsync(Script, TimeProvider.System, "live.yaml", TestContext.Current.CancellationToken);
        using var anthropic = new AnthropicClient { BaseUrl = server.BaseUrl, ApiKey = "any", MaxRetries = 0 };
        await using var client = new CodeInterpreterChatClient(anthropic.AsIChatClient("claude-opus-5-5", 1024), cove);
        var tool = new HostedCodeInterpreterTool { Inputs = [new DataContent("a,40\nb,2\n"u8.ToArray(), "text/csv") { Name = "sales.csv" }] };
        ChatMessage[] messages = [new(ChatRole.User, "What is the total?")];
        var options = new ChatOptions { Tools = [tool] };
        var response = streaming ? await client.GetStreamingResponseAsync(messages, options).ToChatResponseAsync() : await client.GetResponseAsync(messages, options);

        Assert.Empty(server.Problems.Select(p => p.Message));
        Assert.EndsWith("The total is 42.", response.Text, StringComparison.Ordinal);
        var results = response.Messages.SelectMany(m => m.Contents).OfType<CodeInterpreterToolResultContent>().ToArray();
        Assert.Equal(3, results.Length);
        Assert.Equal("1", results[1].Outputs!.OfType<ErrorContent>().Single().ErrorCode);
        var file = results[0].Outputs!.OfType<HostedFileContent>().Single(f => f.Name == "report.txt");
        using var files = await client.FilesAsync();
        await using var report = await files!.DownloadAsync(file.FileId);
        using var reader = new StreamReader(report);
        Assert.Equal("total 42", await reader.ReadToEndAsync());
    }

    /// <summary>The same program as a hosted run and as ours: kinds, media types and order of what a caller sees are alike.</summary>
    [Fact]
    public async Task What_a_caller_sees_is_what_the_official_client_shows_of_its_hosted_tool()
    {
        await using var hosted = await ScriptedModelServer.StartTextAsync("""
            turns:
              - blocks:
                  - {type: server_tool_use, id: srvtoolu_1, name: code_execution, input: {code: "work()"}, caller: {type: direct}}
                  - type: code_execution_tool_result
                    tool_use_id: srvtoolu_1
                    content: {type: code_execution_result, stdout: "some\n", stderr: "wrong\n", return_code: 1, content: [{type: code_execution_output, file_id: file_1}]}
            """, TimeProvider.System);
        using var anthropic = new AnthropicClient { BaseUrl = hosted.BaseUrl, ApiKey = "any", MaxRetries = 0 };
        var theirs = await anthropic.AsIChatClient("claude-opus-5-5", 1024).GetResponseAsync([new(ChatRole.User, "go")], new ChatOptions { Tools = [new HostedCodeInterpreterTool()] });

        await using var ours = await ScriptedModelServer.StartTextAsync("""
            turns:
              - calls: [{tool: run_python, input: {code: "open('/workspace/a.txt', 'w').write('x'); print('some'); 1/0"}}]
              - text: done
            """, TimeProvider.System);
        using var second = new AnthropicClient { BaseUrl = ours.BaseUrl, ApiKey = "any", MaxRetries = 0 };
        await using var client = new CodeInterpreterChatClient(second.AsIChatClient("claude-opus-5-5", 1024), await engine.GetAsync());
        var mine = await client.GetResponseAsync([new(ChatRole.User, "go")], new ChatOptions { Tools = [new HostedCodeInterpreterTool()] });

        Assert.Equal(Shape(theirs), Shape(mine));
    }

    [Fact]
    public async Task A_conversation_keeps_its_variables_and_another_does_not_see_them()
    {
        await using var server = await ScriptedModelServer.StartTextAsync("""
            conversations:
              - when: {message: {contains: set}}
                turns:
                  - calls: [{tool: run_python, input: {code: "secret = 42"}}]
                  - text: set
              - turns:
                  - calls: [{tool: run_python, input: {code: "print(globals().get('secret'))"}}]
                  - capture: {seen: {path: stdout, matches: '^(.*)$'}}
                    text: seen {{seen}}
            """, TimeProvider.System);
        using var anthropic = new AnthropicClient { BaseUrl = server.BaseUrl, ApiKey = "any", MaxRetries = 0 };
        var options = new CodeInterpreterOptions { Scope = CodeInterpreterScope.Conversation };
        await using var client = new CodeInterpreterChatClient(anthropic.AsIChatClient("claude-opus-5-5", 1024), await engine.GetAsync(), options);
        async Task<string> AskAsync(string conversation, string question) =>
            (await client.GetResponseAsync([new(ChatRole.User, question)], new ChatOptions { Tools = [new HostedCodeInterpreterTool()], ConversationId = conversation })).Text;
        Assert.Equal("set", await AskAsync("a", "set it"));
        Assert.Equal("seen 42", await AskAsync("a", "see it"));
        Assert.Equal("seen None", await AskAsync("b", "see it"));
    }

    private static string[] Shape(ChatResponse response)
    {
        var call = response.Messages.SelectMany(m => m.Contents).OfType<CodeInterpreterToolCallContent>().Single();
        var result = response.Messages.SelectMany(m => m.Contents).OfType<CodeInterpreterToolResultContent>().Single();
        return
        [
            .. call.Inputs!.Select(i => $"input {i.GetType().Name} {(i as DataContent)?.MediaType}"),
            .. result.Outputs!.Select(o => $"output {o.GetType().Name} {(o as ErrorContent)?.ErrorCode}"),
        ];
    }
}
