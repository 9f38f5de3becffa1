using System.Diagnostics;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Samples;

/// <summary>The samples do what they say, run as a reader would run them against a server of their own.</summary>
public sealed class SampleTests : IAsyncLifetime
{
    private ServeProcess _server = null!;
    private string _address = "";

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(LiveEngine.Privilege == "root", "The samples are tried once, as the user who owns the checkout.");
        _server = ServeProcess.Start(null, "--allow-anonymous");
        using var http = await _server.AnswersAsync();
        _address = http.BaseAddress!.ToString();
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Theory]
    [InlineData("hello.cs", "the sum is 14", "GuestError: KeyError")]
    [InlineData("stream.cs", "ended as Interrupted", "still here, lap is known")]
    [InlineData("files.cs", "best month: Mar", "the chart is here")]
    public async Task A_csharp_sample_runs_without_a_project(string name, params string[] expected)
    {
        var output = await RunAsync(CoveProgram.Dotnet, ["run", Path.Combine(SourceTree.Root, "samples", "csharp", name)]);
        Assert.All(expected, text => Assert.Contains(text, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_tool_loop_answers_with_only_its_import_changed()
    {
        using var modules = new TemporaryDirectory();
        await File.WriteAllTextAsync(Path.Combine(modules.Path, "anthropic.py"), ScriptedModel);
        var output = await RunAsync("/usr/bin/python3", [Path.Combine(SourceTree.Root, "samples", "python", "tool_loop.py"), "add"], ("PYTHONPATH", modules.Path));
        Assert.Equal("The model read: 42", output.Trim());
    }

    [Fact]
    public async Task The_python_client_keeps_state_streams_and_reports_errors()
    {
        const string Code = """
            from cove import CoveError, Sandbox
            with Sandbox(egress=False, max_lifetime_seconds=300, idle_timeout_seconds=60) as sandbox:
                chunks = []
                sandbox.run_code("answer = 6")
                result = sandbox.run_code("print(answer * 7)", on_stdout=chunks.append)
                assert (result.stdout, chunks, result.success) == ("42\n", ["42\n"], True), result
                assert sandbox.run_code("answer").value == "6"
                failed = sandbox.run_code("1/0")
                assert not failed.success and "ZeroDivisionError" in failed.stderr and failed.exit_code == 1, failed
                slow = sandbox.run_code("import time; print('begun', flush=True); time.sleep(60)", timeout=5)
                assert slow.outcome == "timed_out" and slow.stdout == "begun\n", slow
                def price(item: str, count: int = 1):
                    "What an item costs."
                    if item == "gold":
                        raise CoveError("There is no gold.")
                    return {"total": {"tea": 2.5}[item] * count}
                called = sandbox.run_code(
                    "import asyncio\n"
                    "print(await asyncio.gather(*(tools.price('tea', n) for n in (1, 2))))\n"
                    "for item in ('gold', 'tin'):\n"
                    "    try: await tools.price(item)\n"
                    "    except ToolCallError as error: print(error)", tools={"price": price})
                assert called.stdout == "[{'total': 2.5}, {'total': 5.0}]\nThere is no gold.\nThe tool failed (KeyError).\n", called
                sandbox.write_file("/workspace/a b.txt", "hé")
                assert sandbox.read_file("/workspace/a b.txt").decode() == "hé"
                assert [f["path"] for f in sandbox.list_files()] == ["/workspace/a b.txt"]
                assert sandbox.run_command("exit 3").exit_code == 3
                assert sandbox.extend(lifetime_seconds=600)["id"] == sandbox.id
                assert sandbox.usage()["disk_bytes"] > 0
            try:
                sandbox.run_code("1")
                raise AssertionError("a closed sandbox ran code")
            except CoveError as error:
                assert error.status == 404 and error.code == "sandbox_ended", error.code
            try:
                Sandbox(egress=True)
                raise AssertionError("egress was ignored")
            except CoveError as error:
                assert error.code == "egress_unavailable"
            print("all of it")
            """;
        Assert.Equal("all of it", (await RunAsync("/usr/bin/python3", ["-c", Code], ("PYTHONPATH", Path.Combine(SourceTree.Root, "samples", "python")))).Trim());
    }

    /// <summary>Stands in for the model: asks for two runs of Python, then says what it read of the second.</summary>
    private const string ScriptedModel = """
        from types import SimpleNamespace as Of
        class Anthropic:
            def __init__(self):
                self.messages = Of(create=self.create)
            def create(self, model, max_tokens, tools, messages):
                assert tools[0]["name"] == "run_python"
                turn = len(messages) // 2
                if turn == 0:
                    return Of(stop_reason="tool_use", content=[Of(type="text", text="First."), Of(type="tool_use", id="t1", name="run_python", input={"code": "x = 40"})])
                result = messages[-1]["content"][0]
                if turn == 1:
                    assert result["content"] == "(no output)" and not result["is_error"], result
                    return Of(stop_reason="tool_use", content=[Of(type="tool_use", id="t2", name="run_python", input={"code": "print(x + 2)"})])
                return Of(stop_reason="end_turn", content=[Of(type="text", text="The model read: " + result["content"].strip())])
        """;

    private async Task<string> RunAsync(string program, string[] arguments, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["COVE_URL"] = _address;
        start.Environment.Remove("COVE_API_KEY");
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}\n{await output}\n{await errors}");
        return await output;
    }
}
