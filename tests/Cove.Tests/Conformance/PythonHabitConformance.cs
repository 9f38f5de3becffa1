using Xunit;

namespace Cove.Tests.Conformance;

/// <summary>What models write because IPython understands it.</summary>
public abstract class PythonHabitConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task A_line_with_an_exclamation_mark_is_a_shell_command()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.WriteAsync("/workspace/seen.txt", "");
        Assert.Equal("seen.txt", await sandbox.PrintedAsync("!ls"));
        Assert.Equal("['seen.txt']", (await sandbox.PythonAsync("files = !ls\nlist(files)")).Value);
        Assert.Equal("v=5", await sandbox.PrintedAsync("v = 5\n!echo v={v}"));
    }

    [Fact]
    public async Task The_directory_can_be_changed_for_good()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("%cd /tmp"));
        Assert.Equal("/tmp", await sandbox.PrintedAsync("import os; print(os.getcwd())"));
        Assert.Equal("/tmp", await sandbox.PrintedAsync("!pwd"));
    }

    [Fact]
    public async Task Timing_a_line_or_a_cell_prints_the_time_and_keeps_the_state()
    {
        await using var sandbox = await SandboxAsync();
        var line = await sandbox.PythonAsync("%time sum(range(10))");
        AssertOk(line);
        Assert.Contains("time", line.Stdout, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("45", line.Value + line.Stdout, StringComparison.Ordinal);
        var cell = await sandbox.PythonAsync("%%time\nx = 1\ny = 2");
        AssertOk(cell);
        Assert.Equal("3", (await sandbox.PythonAsync("x + y")).Value);
    }

    [Theory]
    [InlineData("%matplotlib inline\nimport matplotlib.pyplot as plt")]
    [InlineData("%config InlineBackend.figure_format = 'retina'")]
    [InlineData("%load_ext autoreload\n%autoreload 2")]
    [InlineData("%pwd")]
    [InlineData("%who")]
    [InlineData("get_ipython().run_line_magic('matplotlib', 'inline')")]
    public async Task Common_magics_do_no_harm(string code)
    {
        await using var sandbox = await SandboxAsync(Data);
        AssertOk(await sandbox.PythonAsync(code));
    }

    [Fact]
    public async Task Display_shows_a_value_on_the_way()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("display(41)\nfor i in range(2): display({'i': i})\n42");
        Assert.Equal(["41", "{'i': 0}", "{'i': 1}"], run.Displays.Where(d => !d.IsResult).Select(d => d.Data["text/plain"]));
        Assert.Equal("42", run.Value);
        var html = await sandbox.PythonAsync("from IPython.display import display, HTML\ndisplay(HTML('<b>x</b>'))");
        Assert.Equal("<b>x</b>", Assert.Single(html.Displays).Data["text/html"]);
    }

    [Fact]
    public async Task A_bash_cell_runs_in_bash()
    {
        await using var sandbox = await SandboxAsync();
        Assert.Equal("a\nb", await sandbox.PrintedAsync("%%bash\nfor x in a b; do echo $x; done"));
    }

    [Fact]
    public async Task An_unknown_magic_is_an_error_that_names_it()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("%nosuchmagic");
        Assert.Equal(RunOutcome.GuestError, run.Outcome);
        Assert.Contains("nosuchmagic", run.Result.Error!.Message, StringComparison.Ordinal);
    }
}
