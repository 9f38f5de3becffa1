using System.Text;
using Cove.Agent.ChatClients;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.ChatClients;

/// <summary>The loop around a model that asks for code to be run, without sandboxes behind it.</summary>
public sealed class CodeInterpreterTests
{
    private static FunctionCallContent Python(string id, string code) => new(id, "run_python", new Dictionary<string, object?> { ["code"] = code });

    private static FunctionCallContent Foreign(string id) => new(id, "weather", new Dictionary<string, object?>());

    private static ChatOptions Options(params AITool[] more) => new() { Tools = [new HostedCodeInterpreterTool(), .. more] };

    private static FakeCove Printing() => new()
    {
        Run = run =>
        {
            run.Print("ran: " + run.Request.Code);
            return Task.CompletedTask;
        },
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Code_is_run_and_shown_as_a_service_that_hosts_it_would(bool streaming)
    {
        var model = new FakeModel([new TextContent("I compute."), Python("c1", "1"), new FunctionCallContent("c2", "bash", new Dictionary<string, object?> { ["command"] = "ls" })], [new TextContent("done")]);
        await using var cove = Printing();
        await using var client = new CodeInterpreterChatClient(model, cove);
        var response = await AskAsync(client, streaming, [new ChatMessage(ChatRole.User, "go")], Options());

        var contents = response.Messages.SelectMany(m => m.Contents).Where(c => c is not UsageContent).ToArray();
        Assert.Equal(
            [typeof(TextContent), typeof(CodeInterpreterToolCallContent), typeof(CodeInterpreterToolCallContent), typeof(CodeInterpreterToolResultContent), typeof(CodeInterpreterToolResultContent), typeof(TextContent)],
            contents.Select(c => c.GetType()));
        Assert.Equal(2, response.Messages.Count);
        var inputs = contents.OfType<CodeInterpreterToolCallContent>().Select(c => (DataContent)c.Inputs!.Single()).Select(d => (d.MediaType, Encoding.UTF8.GetString(d.Data.Span)));
        Assert.Equal([("text/x-python", "1"), ("application/x-sh", "ls")], inputs);
        Assert.Equal("ran: 1", ((TextContent)contents.OfType<CodeInterpreterToolResultContent>().First().Outputs!.Single()).Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal((20, 2), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount));

        var second = model.Asked.Last();
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.Tool], second.Messages.Select(m => m.Role));
        Assert.Equal(["c1", "c2"], second.Messages[2].Contents.Cast<FunctionResultContent>().Select(r => r.CallId));
        Assert.Equal(["run_python", "bash"], second.Options!.Tools!.Select(t => t.Name));
        Assert.DoesNotContain(second.Options.Tools!, t => t is HostedCodeInterpreterTool);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_fails_is_shown_with_its_exit_code_and_told_to_the_model(bool streaming)
    {
        var model = new FakeModel([Python("c1", "1/0")], [new TextContent("sorry")]);
        await using var cove = new FakeCove
        {
            Run = run =>
            {
                run.Print("before");
                run.Print("Traceback", OutputStream.Stderr);
                run.Result = FakeCoveRun.Ended(RunOutcome.GuestError, 1, FakeCove.Error("exit_code", ErrorCategory.Code).Error);
                return Task.CompletedTask;
            },
        };
        await using var client = new CodeInterpreterChatClient(model, cove);
        var response = await AskAsync(client, streaming, [new ChatMessage(ChatRole.User, "go")], Options());
        var outputs = response.Messages.SelectMany(m => m.Contents).OfType<CodeInterpreterToolResultContent>().Single().Outputs!;
        Assert.Equal("before", Assert.IsType<TextContent>(outputs[0]).Text);
        var error = Assert.IsType<ErrorContent>(outputs[1]);
        Assert.Equal("1", error.ErrorCode);
        Assert.Contains("Traceback", error.Message, StringComparison.Ordinal);
        var told = Assert.IsType<IEnumerable<AIContent>>(((FunctionResultContent)model.Asked.Last().Messages[^1].Contents.Single()).Result, exactMatch: false);
        Assert.Contains("\"isError\":true", told.OfType<TextContent>().First().Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Calls_of_other_functions_are_left_to_the_caller_and_join_the_results_when_they_come_back(bool streaming)
    {
        var model = new FakeModel([Python("c1", "1"), Foreign("f1")], [new TextContent("sunny")]);
        await using var cove = Printing();
        await using var client = new CodeInterpreterChatClient(model, cove);
        var weather = AIFunctionFactory.CreateDeclaration("weather", "Tells the weather.", System.Text.Json.JsonElement.Parse("""{"type":"object"}"""));
        List<ChatMessage> history = [new(ChatRole.User, "go")];
        var first = await AskAsync(client, streaming, history, Options(weather));
        Assert.Single(model.Asked);
        Assert.Equal(ChatFinishReason.ToolCalls, first.FinishReason);
        Assert.Equal(
            [typeof(CodeInterpreterToolCallContent), typeof(FunctionCallContent), typeof(CodeInterpreterToolResultContent)],
            first.Messages.Single().Contents.Where(c => c is not UsageContent).Select(c => c.GetType()));

        history.AddRange(first.Messages);
        history.Add(new ChatMessage(ChatRole.Tool, [new FunctionResultContent("f1", "sun")]));
        var second = await AskAsync(client, streaming, history, Options(weather));
        Assert.Equal("sunny", second.Text);
        var sent = model.Asked.Last().Messages;
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.Tool], sent.Select(m => m.Role));
        Assert.Equal(["c1", "f1"], sent[1].Contents.OfType<FunctionCallContent>().Select(c => c.CallId));
        Assert.Equal(["c1", "f1"], sent[2].Contents.Cast<FunctionResultContent>().Select(r => r.CallId));
    }

    [Fact]
    public async Task A_conversation_that_was_stored_and_read_again_goes_on()
    {
        var model = new FakeModel([Python("c1", "x = 1")], [new TextContent("one")], [new TextContent("two")]);
        await using var cove = Printing();
        await using var client = new CodeInterpreterChatClient(model, cove);
        List<ChatMessage> history = [new(ChatRole.User, "go")];
        history.AddMessages(await client.GetResponseAsync(history, Options()));
        foreach (var content in history.SelectMany(m => m.Contents))
        {
            content.RawRepresentation = null; // what storing loses
        }

        // Flattened into one message, as some stores do.
        List<ChatMessage> stored = [history[0], new(ChatRole.Assistant, [.. history.Skip(1).SelectMany(m => m.Contents)]), new(ChatRole.User, "again")];
        Assert.Equal("two", (await client.GetResponseAsync(stored, Options())).Text);
        var sent = model.Asked.Last().Messages;
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant, ChatRole.User], sent.Select(m => m.Role));
        var call = Assert.IsType<FunctionCallContent>(sent[1].Contents.Single());
        Assert.Equal(("run_python", "x = 1"), (call.Name, call.Arguments!["code"]));
        Assert.Equal("ran: x = 1", Assert.IsType<FunctionResultContent>(sent[2].Contents.Single()).Result);
    }

    [Fact]
    public async Task A_call_without_its_result_is_not_sent_again()
    {
        var model = new FakeModel([new TextContent("fine")]);
        await using var cove = Printing();
        await using var client = new CodeInterpreterChatClient(model, cove);
        var lost = new CodeInterpreterToolCallContent("c9") { Inputs = [new DataContent("1"u8.ToArray(), "text/x-python")] };
        await client.GetResponseAsync([new(ChatRole.User, "go"), new(ChatRole.Assistant, [new TextContent("so"), lost]), new(ChatRole.User, "on")], Options());
        Assert.Equal(["so"], model.Asked.Last().Messages[1].Contents.Select(c => c.ToString()));
    }

    [Fact]
    public async Task The_last_of_the_allowed_requests_forbids_tools()
    {
        var model = new FakeModel([Python("c", "1")]);
        await using var cove = Printing();
        await using var client = new CodeInterpreterChatClient(model, cove, new CodeInterpreterOptions { MaxIterations = 3 });
        var options = Options();
        options.ToolMode = ChatToolMode.RequireAny;
        await client.GetResponseAsync([new(ChatRole.User, "go")], options);
        Assert.Equal([ChatToolMode.RequireAny, null, ChatToolMode.None], model.Asked.Select(a => a.Options!.ToolMode));
        Assert.Equal(ChatToolMode.RequireAny, options.ToolMode);
    }

    [Fact]
    public async Task A_model_that_keeps_the_conversation_is_sent_only_what_is_new()
    {
        var model = new FakeModel([Python("c", "1")], [new TextContent("end")]) { ConversationId = "kept" };
        await using var cove = Printing();
        await using var client = new CodeInterpreterChatClient(model, cove);
        await client.GetResponseAsync([new(ChatRole.User, "go")], Options());
        var (messages, options) = model.Asked.Last();
        Assert.Equal("kept", options!.ConversationId);
        Assert.Equal(ChatRole.Tool, Assert.Single(messages).Role);
    }

    [Fact]
    public async Task Without_the_hosted_tool_a_request_passes_through()
    {
        var model = new FakeModel([Python("c", "1")]);
        await using var cove = Printing();
        await using var client = new CodeInterpreterChatClient(model, cove);
        var response = await client.GetResponseAsync([new(ChatRole.User, "go")], new ChatOptions());
        Assert.IsType<FunctionCallContent>(response.Messages.Single().Contents.Single());
        Assert.Empty(cove.Sandboxes);
    }

    [Fact]
    public async Task A_tool_of_the_same_name_is_refused()
    {
        await using var cove = Printing();
        await using var client = new CodeInterpreterChatClient(new FakeModel([]), cove);
        var clash = AIFunctionFactory.CreateDeclaration("bash", "Another.", System.Text.Json.JsonElement.Parse("""{"type":"object"}"""));
        var error = await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync([new(ChatRole.User, "go")], Options(clash)));
        Assert.Contains("a tool named bash", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inputs_are_put_into_the_sandbox_once_and_told_to_the_model()
    {
        var model = new FakeModel([new TextContent("ok")]);
        await using var cove = Printing();
        await using var client = new CodeInterpreterChatClient(model, cove);
        var data = new DataContent("a,b"u8.ToArray(), "text/csv") { Name = "../../etc/sales.csv" };
        var same = new DataContent("c"u8.ToArray(), "text/csv") { Name = "sales.csv" };
        var options = new ChatOptions { Tools = [new HostedCodeInterpreterTool { Inputs = [data, same, new DataContent("x"u8.ToArray(), "application/json")] }] };
        await client.GetResponseAsync([new(ChatRole.User, "go")], options);
        Assert.Equal(["/workspace/file.json", "/workspace/sales-2.csv", "/workspace/sales.csv"], cove.Files.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("/workspace/sales.csv", model.Asked.Last().Options!.Tools![0].Description, StringComparison.Ordinal);
        cove.Files.Clear();
        await client.GetResponseAsync([new(ChatRole.User, "go")], options);
        Assert.Empty(cove.Files);

        var foreign = new ChatOptions { Tools = [new HostedCodeInterpreterTool { Inputs = [new HostedFileContent("file_abc")] }] };
        var error = await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync([new(ChatRole.User, "go")], foreign));
        Assert.Contains("a file of another service", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_has_one_sandbox_and_renews_one_that_ended()
    {
        var model = new FakeModel([new TextContent("ok")]);
        await using var cove = Printing();
        var client = new CodeInterpreterChatClient(model, cove, new CodeInterpreterOptions { Sandbox = new SandboxRequest { Template = "base" } });
        await client.GetResponseAsync([new(ChatRole.User, "go")], Options());
        await client.GetResponseAsync([new(ChatRole.User, "go")], Options());
        var only = Assert.Single(cove.Sandboxes);
        Assert.Equal("base", only.Value.Template);
        Assert.DoesNotContain("new one", model.Asked.Last().Options!.Tools![0].Description, StringComparison.Ordinal);
        cove.Sandboxes.Clear();
        await client.GetResponseAsync([new(ChatRole.User, "go")], Options());
        Assert.Contains("The sandbox is a new one", model.Asked.Last().Options!.Tools![0].Description, StringComparison.Ordinal);
        Assert.Single(cove.Sandboxes);
        await client.DisposeAsync();
        Assert.Empty(cove.Sandboxes);
        Assert.True(model.Disposed);
    }

    [Fact]
    public async Task Conversations_have_sandboxes_of_their_own_and_the_oldest_make_room()
    {
        var model = new FakeModel([new TextContent("ok")]);
        await using var cove = Printing();
        using var client = new CodeInterpreterChatClient(model, cove, new CodeInterpreterOptions { Scope = CodeInterpreterScope.Conversation, MaxConversations = 2 });
        var sandboxes = new Dictionary<string, SandboxId?>();
        foreach (var conversation in new[] { "a", "b", "a", "c" })
        {
            await client.GetResponseAsync([new(ChatRole.User, "go")], WithConversation(conversation));
            sandboxes[conversation] = cove.Sandboxes.Keys.Except(sandboxes.Values.OfType<SandboxId>()).Cast<SandboxId?>().SingleOrDefault() ?? sandboxes[conversation];
        }

        Assert.Equal([sandboxes["a"]!.Value, sandboxes["c"]!.Value], cove.Sandboxes.Keys.OrderBy(id => id == sandboxes["c"]));
        await client.CloseConversationAsync("a");
        await client.CloseConversationAsync("unknown");
        Assert.Equal(sandboxes["c"], Assert.Single(cove.Sandboxes).Key);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => client.GetResponseAsync([new(ChatRole.User, "go")], Options()));
        Assert.Contains("ChatOptions.ConversationId is null", error.Message, StringComparison.Ordinal);
        client.Dispose();
        Assert.Empty(cove.Sandboxes);
    }

    [Fact]
    public async Task A_request_of_its_own_leaves_nothing_even_when_it_is_cancelled()
    {
        await using var cove = Printing();
        await using var client = new CodeInterpreterChatClient(new FakeModel([Python("c", "1")]), cove, new CodeInterpreterOptions { Scope = CodeInterpreterScope.Request, MaxIterations = 2 });
        await client.GetResponseAsync([new(ChatRole.User, "go")], Options());
        Assert.Empty(cove.Sandboxes);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetResponseAsync([new(ChatRole.User, "go")], Options(), new CancellationToken(canceled: true)));
        Assert.Empty(cove.Sandboxes);
        await using var streaming = client.GetStreamingResponseAsync([new(ChatRole.User, "go")], Options()).GetAsyncEnumerator();
        Assert.True(await streaming.MoveNextAsync());
        Assert.Single(cove.Sandboxes);
        await streaming.DisposeAsync();
        Assert.Empty(cove.Sandboxes);
    }

    [Theory]
    [InlineData(0, 10, "MaxConversations is '0'")]
    [InlineData(1, 101, "MaxIterations is '101'")]
    public void Options_that_do_not_hold_are_refused(int conversations, int iterations, string message)
    {
        var options = new CodeInterpreterOptions { MaxConversations = conversations, MaxIterations = iterations };
        var error = Assert.Throws<ArgumentException>(() => new CodeInterpreterChatClient(new FakeModel([]), new FakeCove(), options));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static ChatOptions WithConversation(string id)
    {
        var options = Options();
        options.ConversationId = id;
        return options;
    }

    private static Task<ChatResponse> AskAsync(CodeInterpreterChatClient client, bool streaming, IEnumerable<ChatMessage> messages, ChatOptions options) =>
        streaming ? client.GetStreamingResponseAsync(messages, options).ToChatResponseAsync() : client.GetResponseAsync(messages, options);
}
