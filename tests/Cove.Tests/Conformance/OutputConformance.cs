using System.Text.RegularExpressions;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract partial class OutputConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    private const int Shown = 1 << 20;

    [Theory]
    [InlineData("import sys\nfor i in range(3 << 20 >> 10): sys.stdout.write('x' * 1023 + '\\n')", 3 << 20)]
    [InlineData("print('x' * 10_000_000, end='')", 10_000_000)]
    public async Task Output_over_its_budget_is_cut_with_a_notice_and_the_rest_is_in_a_file(string code, int bytes)
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync(code + "\n'value'");
        AssertOk(run);
        Assert.Equal((Shown, (long)bytes, "'value'"), (run.Stdout.Length, run.Result.StdoutBytes, run.Value));
        var notice = run.Events.OfType<RunNotice>().Last(n => n.Code == "output_cut").Message;
        Assert.Contains($"{bytes:N0}", notice, StringComparison.Ordinal);
        var path = SpillPath().Match(notice).Value;
        Assert.Equal(bytes - Shown, (await sandbox.Cove.StatFileAsync(sandbox.Id, path)).SizeBytes);
        Assert.Equal(bytes - Shown, (await sandbox.ReadAsync(path)).Length);
        Assert.Equal((bytes - Shown).ToString(), await sandbox.PrintedAsync($"print(len(open('{path}').read()))"));
    }

    [Fact]
    public async Task Each_stream_has_a_budget_of_its_own()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.ShellAsync("head -c 2000000 /dev/zero | tr '\\0' o; head -c 1500000 /dev/zero | tr '\\0' e >&2");
        AssertOk(run);
        Assert.Equal((Shown, Shown), (run.Stdout.Length, run.Stderr.Length));
        Assert.Equal((2_000_000L, 1_500_000L), (run.Result.StdoutBytes, run.Result.StderrBytes));
    }

    [Fact]
    public async Task The_rest_is_bounded()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.ShellAsync("head -c 30000000 /dev/zero | tr '\\0' x");
        AssertOk(run);
        Assert.Contains("was dropped", run.Events.OfType<RunNotice>().Last().Message, StringComparison.Ordinal);
        Assert.InRange((await sandbox.Cove.GetUsageAsync(sandbox.Id)).DiskBytes, 15 << 20, 18 << 20);
    }

    [Fact]
    public async Task A_full_disk_costs_only_the_rest()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { DiskBytes = 4 << 20 });
        var run = await sandbox.ShellAsync("head -c 20000000 /dev/zero | tr '\\0' x");
        AssertOk(run);
        Assert.Equal(Shown, run.Stdout.Length);
        Assert.Contains("could not be saved", run.Events.OfType<RunNotice>().Last().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("b'a\\xff\\xfeb\\xe2\\x82'", "a\uFFFD\uFFFDb\uFFFD")]
    [InlineData("b'a\\x00b\\x1b[31mred\\x1b[0m\\r\\x07'", "a\0b\u001b[31mred\u001b[0m\r\a")]
    [InlineData("'grüße ☃ 🎉'.encode()", "grüße ☃ 🎉")]
    [InlineData("b''", "")]
    public async Task Whatever_bytes_are_written_come_out_as_text(string bytes, string expected)
    {
        await using var sandbox = await SandboxAsync();
        Assert.Equal(expected, (await sandbox.PythonAsync($"import os; _ = os.write(1, {bytes})")).Stdout);
    }

    [Fact]
    public async Task A_character_written_byte_by_byte_stays_whole()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("import os, time\nfor b in '☃🎉'.encode():\n    os.write(1, bytes([b])); time.sleep(0.01)");
        Assert.Equal("☃🎉", run.Stdout);
    }

    [Theory]
    [InlineData("import os; os.close(1); os.close(2)")]
    [InlineData("import sys; sys.stdout.close(); sys.stderr.close()")]
    [InlineData("import sys; sys.stdout = sys.stderr = None")]
    [InlineData("import sys; del sys.stdout, sys.stderr")]
    [InlineData("import os; os.dup2(os.open('/dev/null', 1), 1)")]
    [InlineData("import os; os.closerange(0, 3)")]
    public async Task Closed_and_replaced_descriptors_hurt_one_run_at_most(string code)
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.PythonAsync(code);
        Assert.Equal("again\n", (await sandbox.PythonAsync("print('again')")).Stdout);
    }

    [Fact]
    public async Task Closing_every_descriptor_loses_the_kernel_and_nothing_else()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("import os; os.closerange(0, 1024)");
        Assert.True(run.Outcome == RunOutcome.Ok || run.Result.StateLost, run.ToString());
        var next = await sandbox.PythonAsync("print('again')");
        Assert.True(next.Stdout == "again\n" || next.Result.StateLost, next.ToString());
        Assert.Equal("again\n", (await sandbox.PythonAsync("print('again')")).Stdout);
    }

    [Fact]
    public async Task What_is_written_after_a_run_belongs_to_no_run()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.ShellAsync("(trap '' PIPE; while [ ! -e /tmp/go ]; do sleep 0.01; done; echo late; touch /tmp/done) &"));
        var run = sandbox.StartPython("import os, time\nopen('/tmp/go', 'w').close()\nwhile not os.path.exists('/tmp/done'): time.sleep(0.01)");
        var completed = await run.Completion;
        Assert.Equal((RunOutcome.Ok, ""), (completed.Outcome, completed.Stdout));
        Assert.Equal("", (await sandbox.ShellAsync("true")).Stdout);
    }

    [GeneratedRegex("/tmp/[^ ]*(stdout|stderr)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex SpillPath();
}
