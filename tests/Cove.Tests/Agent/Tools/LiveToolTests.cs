using Cove.Agent.Tools;
using Cove.Agent.Tools.Sandbox;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.Tools;

/// <summary>The tools over the real engine.</summary>
public sealed class LiveToolTests(LiveEngine live)
{
    [Fact]
    public async Task Python_keeps_its_state_and_failures_name_line_and_remedy()
    {
        await using var sandbox = await SandboxAsync("python-data");
        var python = (await SandboxToolset.CreateAsync(sandbox.Cove, sandbox.Id)).Named("run_python");
        Assert.Contains("numpy", python.Description, StringComparison.Ordinal);
        Assert.Null((await python.CallAsync(new { code = "x = 20" })).Error);
        var sum = await python.CallAsync(new { code = "print('hi')\nx + 1" });
        Assert.Equal(("hi\n", "21", "0"), (sum.Field("stdout"), sum.Field("result"), sum.Field("exit_code")));

        await FailsAsync(python, "import stats", ToolErrorCategory.MissingModule, true, "No module named 'stats'", "numpy");
        await FailsAsync(python, "a = 1\nb = = 2", ToolErrorCategory.Syntax, true, "line 2", "");
        await FailsAsync(python, "y = 1\nprint(undefined_name)", ToolErrorCategory.Name, true, "(line 2: print(undefined_name))", "");
        await FailsAsync(python, "[].missing", ToolErrorCategory.Name, true, "missing", "");
        await FailsAsync(python, "def f():\n    return 1 + 'a'\nf()", ToolErrorCategory.Type, true, "(line 2: return 1 + 'a')", "");
        await FailsAsync(python, "1/0", ToolErrorCategory.Exception, true, "ZeroDivisionError", "");
        await FailsAsync(python, "open('/etc/shadow2', 'w')", ToolErrorCategory.Permission, false, "", "/workspace");
        await FailsAsync(python, "import socket\nsocket.create_connection(('192.0.2.1', 80), 5)", ToolErrorCategory.Permission, false, "unreachable", "no network");
        var traceback = await python.CallAsync(new { code = "1/0" });
        Assert.Contains("ZeroDivisionError: division by zero", traceback.Field("stderr"), StringComparison.Ordinal);
        Assert.Equal("21", (await python.CallAsync(new { code = "x + 1" })).Field("result"));
    }

    [Fact]
    public async Task A_run_that_is_too_slow_keeps_what_it_printed()
    {
        await using var sandbox = await SandboxAsync();
        var result = await new RunPythonTool(sandbox.Cove, sandbox.Id).CallAsync(new { code = "print('begun', flush=True)\nwhile True: pass", timeout = 5 }); // time enough to begin
        Assert.Equal(("begun\n", "124"), (result.Field("stdout"), result.Field("exit_code")));
        Assert.EndsWith("Execution timed out after 5s", result.Field("stderr"), StringComparison.Ordinal);
        Assert.Equal(ToolErrorCategory.Timeout, result.Error!.ErrorCategory);
    }

    [Fact]
    public async Task Memory_and_death_are_137_and_no_code_mends_memory()
    {
        await using var sandbox = await SandboxAsync();
        var python = new RunPythonTool(sandbox.Cove, sandbox.Id);
        var dead = await python.CallAsync(new { code = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)" });
        Assert.Equal(("137", ToolErrorCategory.Interrupted), (dead.Field("exit_code"), dead.Error!.ErrorCategory));
        var full = await python.CallAsync(new { code = "x = bytearray(10 << 40)" });
        Assert.Equal((ToolErrorCategory.Memory, false), (full.Error!.ErrorCategory, full.Error.IsRetryable));
    }

    [Fact]
    public async Task Huge_output_is_shown_in_part_and_kept_whole()
    {
        await using var sandbox = await SandboxAsync();
        var python = new RunPythonTool(sandbox.Cove, sandbox.Id);
        var result = await python.CallAsync(new { code = "for i in range(3000): print(i, 'é' * 10)" });
        var stdout = result.Field("stdout");
        Assert.InRange(stdout.Length, 9_900, 10_000);
        Assert.StartsWith("0 éé", stdout, StringComparison.Ordinal);
        Assert.EndsWith("2999 éééééééééé\n", stdout, StringComparison.Ordinal);
        var path = stdout.Split("the whole is in ")[1].Split(' ')[0];
        Assert.Equal("3000\n", (await python.CallAsync(new { code = $"print(len(open('{path}').read().splitlines()))" })).Field("stdout"));
        Assert.Empty(result.Artifacts);
    }

    [Fact]
    public async Task Plots_are_pictures_and_files_are_artifacts()
    {
        await using var sandbox = await SandboxAsync("python-data");
        var python = new RunPythonTool(sandbox.Cove, sandbox.Id);
        await sandbox.WriteAsync("/workspace/old.txt", "as it was");
        await sandbox.WriteAsync("/workspace/changed.csv", "a");
        var result = await python.CallAsync(new
        {
            code = "import matplotlib.pyplot as plt, os\nplt.plot([1, 2]); plt.savefig('/workspace/chart.png'); plt.show()\n"
                + "open('/workspace/changed.csv', 'a').write('b')\nos.makedirs('/workspace/.hidden'); open('/workspace/.hidden/x', 'w').write('x')",
        });
        Assert.Equal("image/png", Assert.Single(result.Content.OfType<DataContent>()).MediaType);
        Assert.Equal([("/workspace/changed.csv", "text/csv"), ("/workspace/chart.png", "image/png")], result.Artifacts.Select(a => (a.Path, a.MediaType)));
        Assert.Equal("""["/workspace/changed.csv","/workspace/chart.png"]""", result.Field("files"));
    }

    [Fact]
    public async Task Bash_is_one_session_until_it_is_restarted()
    {
        await using var sandbox = await SandboxAsync();
        var bash = new BashTool(sandbox.Cove, sandbox.Id, new SandboxToolOptions { CommandTimeout = TimeSpan.FromSeconds(10) }); // time enough to start a shell
        Assert.Equal("Bash session restarted.", (await bash.CallAsync(new { restart = true })).Text());
        Assert.Equal("", (await bash.CallAsync(new { command = "cd /tmp; kept=7" })).Text());
        Assert.Equal("/tmp 7", (await bash.CallAsync(new { command = "echo $PWD $kept" })).Text());
        var merged = await bash.CallAsync(new { command = "echo out; echo err >&2; echo again" });
        Assert.Equal(["again", "err", "out"], merged.Text().Split('\n').Order(StringComparer.Ordinal));

        var failed = await bash.CallAsync(new { command = "ls /nothing" });
        Assert.Equal(ToolErrorCategory.Exception, failed.Error!.ErrorCategory);
        Assert.Contains("No such file or directory\nExit code 2", failed.First(), StringComparison.Ordinal);

        var slow = await bash.CallAsync(new { command = "echo begun; sleep 100" });
        Assert.Equal(ToolErrorCategory.Timeout, slow.Error!.ErrorCategory);
        Assert.StartsWith("begun\n", slow.First(), StringComparison.Ordinal);
        Assert.EndsWith("Error: command did not finish within 10 seconds", slow.First(), StringComparison.Ordinal);

        Assert.Equal("Bash session restarted.", (await bash.CallAsync(new { restart = true })).Text());
        Assert.Equal("[]", (await bash.CallAsync(new { command = "echo [$kept]" })).Text());
        Assert.Equal(ToolErrorCategory.Input, (await bash.CallAsync(new { })).Error!.ErrorCategory);
    }

    [Fact]
    public async Task A_command_that_hangs_is_ended_by_a_restart()
    {
        await using var sandbox = await SandboxAsync();
        var bash = new BashTool(sandbox.Cove, sandbox.Id);
        var heard = new TaskCompletionSource();
        var hanging = bash.CallAsync(new { command = "echo in; sleep 1000" }, _ => heard.TrySetResult());
        await Hang.WatchAsync(heard.Task);
        Assert.Null((await bash.CallAsync(new { restart = true })).Error);
        Assert.Equal(ToolErrorCategory.Interrupted, (await hanging).Error!.ErrorCategory);
        Assert.Equal("on", (await bash.CallAsync(new { command = "echo on" })).Text());
    }

    [Fact]
    public async Task The_editor_speaks_as_models_know_it()
    {
        await using var sandbox = await SandboxAsync();
        var editor = new EditorTool(sandbox.Cove, sandbox.Id);
        async Task<string> Said(object input) => (await editor.CallAsync(input)).First();

        Assert.Equal("Error: File not found", await Said(new { command = "view", path = "primes.py" }));
        Assert.Equal("File created successfully at: /workspace/primes.py", await Said(new { command = "create", path = "primes.py", file_text = "def p(n):\n    return n\n\nprint(p(2))\n" }));
        Assert.Equal("     1\tdef p(n):\n     2\t    return n\n     3\t\n     4\tprint(p(2))", await Said(new { command = "view", path = "/workspace/primes.py" }));
        Assert.Equal("     2\t    return n\n     3\t", await Said(new { command = "view", path = "/workspace/primes.py", view_range = (int[])[2, 3] }));
        Assert.Equal("     4\tprint(p(2))", await Said(new { command = "view", path = "/workspace/primes.py", view_range = (int[])[4, -1] }));
        Assert.StartsWith("Error: Invalid `view_range` parameter: [9, 3].", await Said(new { command = "view", path = "primes.py", view_range = (int[])[9, 3] }), StringComparison.Ordinal);
        Assert.Equal(
            "Error: Found 2 matches for replacement text. Please provide more context to make a unique match.",
            await Said(new { command = "str_replace", path = "primes.py", old_str = "p(", new_str = "q(" }));
        Assert.Equal("Error: No match found for replacement. Please check your text and try again.", await Said(new { command = "str_replace", path = "primes.py", old_str = "nothing", new_str = "" }));
        Assert.Equal("Successfully replaced text at exactly one location.", await Said(new { command = "str_replace", path = "primes.py", old_str = "return n", new_str = "return n > 1" }));
        Assert.Equal("Successfully inserted text after line 0.", await Said(new { command = "insert", path = "primes.py", insert_line = 0, insert_text = "# primes" }));
        Assert.Equal("Successfully inserted text after line 5.", await Said(new { command = "insert", path = "primes.py", insert_line = 5, insert_text = "# end" }));
        Assert.Equal("# primes\ndef p(n):\n    return n > 1\n\nprint(p(2))\n# end", await sandbox.ReadAsync("/workspace/primes.py"));
        Assert.Contains("[0, 6]", await Said(new { command = "insert", path = "primes.py", insert_line = 7, insert_text = "x" }), StringComparison.Ordinal);
        Assert.Equal("Error: Permission denied. Cannot write to file.", await Said(new { command = "create", path = "/usr/bin/x", file_text = "x" }));
        Assert.Contains("\t/workspace/primes.py", await Said(new { command = "view", path = "/workspace" }), StringComparison.Ordinal);
        var error = (await editor.CallAsync(new { command = "view", path = "none" })).Error!;
        Assert.Equal((ToolErrorCategory.NotFound, true), (error.ErrorCategory, error.IsRetryable));
    }

    [Fact]
    public async Task An_edit_keeps_permissions_and_line_ends_and_replaces_no_link()
    {
        await using var sandbox = await SandboxAsync();
        var editor = new EditorTool(sandbox.Cove, sandbox.Id);
        await sandbox.ShellAsync("printf 'a\\r\\nb\\r\\n' > run.sh; chmod 755 run.sh; ln -s run.sh link; printf '\\xff\\x00' > binary");
        Assert.Null((await editor.CallAsync(new { command = "str_replace", path = "run.sh", old_str = "b", new_str = "c" })).Error);
        Assert.Equal("755 a\r\nc\r\n", (await sandbox.ShellAsync("stat -c %a run.sh | tr '\\n' ' '; cat run.sh")).Stdout);
        Assert.Contains("is a link to run.sh", (await editor.CallAsync(new { command = "create", path = "link", file_text = "x" })).First(), StringComparison.Ordinal);
        Assert.Contains("is no UTF-8 text", (await editor.CallAsync(new { command = "view", path = "binary" })).First(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_read_written_and_listed_and_names_cannot_pose_as_lines()
    {
        await using var sandbox = await SandboxAsync();
        var tools = SandboxToolset.Create(sandbox.Cove, sandbox.Id);
        var written = await tools.Named("write_file").CallAsync(new { path = "notes/a.txt", content = "é" });
        Assert.Equal(("Wrote 2 bytes to /workspace/notes/a.txt.", "/workspace/notes/a.txt"), (written.Text(), Assert.Single(written.Artifacts).Path));
        Assert.Equal("é", (await tools.Named("read_file").CallAsync(new { path = "/workspace/notes/../notes/a.txt" })).Text());
        await sandbox.ShellAsync("touch $'notes/evil\\n9B\\tfake'; ln -s /etc/passwd notes/link");
        var listed = (await tools.Named("list_files").CallAsync(new { path = "notes" })).Text();
        Assert.Equal("2B\t/workspace/notes/a.txt\n0B\t/workspace/notes/evil\\u000a9B\\u0009fake\n-\t/workspace/notes/link -> /etc/passwd", listed);
        Assert.Equal(ToolErrorCategory.NotFound, (await tools.Named("read_file").CallAsync(new { path = "gone" })).Error!.ErrorCategory);
        Assert.Equal(ToolErrorCategory.Permission, (await tools.Named("write_file").CallAsync(new { path = "/etc/x", content = "x" })).Error!.ErrorCategory);
    }

    private async Task<TestSandbox> SandboxAsync(string template = "base") => await TestSandbox.CreateAsync(await live.GetAsync(), new SandboxRequest { Template = template });

    private static async Task FailsAsync(AgentTool python, string code, ToolErrorCategory category, bool retryable, string context, string remedy)
    {
        var result = await python.CallAsync(new { code });
        Assert.True(result.Error is not null, code);
        Assert.True((result.Error.ErrorCategory, result.Error.IsRetryable) == (category, retryable), $"{code}: {result.Text()}");
        Assert.Contains(context, result.Error.Context, StringComparison.Ordinal);
        Assert.Contains(remedy, result.Error.Remediation, StringComparison.Ordinal);
        Assert.NotEqual("0", result.Field("exit_code"));
    }
}
