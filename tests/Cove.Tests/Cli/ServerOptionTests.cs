using System.Diagnostics;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Cli;

/// <summary>The command line against a server instead of the user's own engine: the same verbs, and sandboxes that are kept.</summary>
public sealed class ServerOptionTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private ServeProcess _server = null!;
    private string _address = "";

    public async ValueTask InitializeAsync()
    {
        _server = ServeProcess.Start(null, "--allow-anonymous");
        using var http = await _server.AnswersAsync();
        _address = http.BaseAddress!.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Run_works_unchanged()
    {
        var (exitCode, output, errors) = await CoveAsync("run", "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)");
        Assert.Equal((3, "out\n", "err\n"), (exitCode, output, errors));
    }

    [Fact]
    public async Task A_sandbox_is_kept_from_command_to_command()
    {
        var id = (await OkAsync("sandbox", "create", "--label", "who=me", "--memory", "256MB")).Trim();
        Assert.Contains($"{id} ", await OkAsync("sandbox", "list"), StringComparison.Ordinal);
        Assert.Contains("who=me", await OkAsync("sandbox", "list"), StringComparison.Ordinal);

        await OkAsync("sandbox", "exec", id, "-c", "x = 41");
        Assert.Equal("42\n", await OkAsync("sandbox", "exec", id, "-c", "x + 1"));
        Assert.Equal((7, "hi\n"), await ExecAsync(id, "--", "sh", "-c", "echo hi; exit 7"));

        var log = await OkAsync("sandbox", "logs", id);
        Assert.Contains("run_started", log, StringComparison.Ordinal);
        var run = log.Split('\n').Last(line => line.Contains("run_started", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        Assert.Equal("hi\n", await OkAsync("sandbox", "logs", id, run));

        await OkAsync("sandbox", "rm", id);
        await Eventually.Holds(async () => !(await OkAsync("sandbox", "list")).Contains(id, StringComparison.Ordinal), "the removed sandbox is listed no more");
        Assert.Contains($"{id} ", await OkAsync("sandbox", "list", "--all"), StringComparison.Ordinal);
        Assert.Equal(2, (await CoveAsync("sandbox", "exec", id, "-c", "1")).ExitCode);
    }

    [Fact]
    public async Task Files_and_directories_are_copied_both_ways()
    {
        var id = (await OkAsync("sandbox", "create")).Trim();
        var here = Directory.CreateDirectory(Path.Combine(_directory.Path, "in", "deep")).Parent!.FullName;
        await File.WriteAllTextAsync(Path.Combine(here, "a.txt"), "one");
        await File.WriteAllTextAsync(Path.Combine(here, "deep", "b.txt"), "two");

        await OkAsync("sandbox", "cp", Path.Combine(here, "a.txt"), id + ":/workspace/");
        await OkAsync("sandbox", "cp", here, id + ":/workspace/tree");
        Assert.Equal("one\ntwo\n", await OkAsync("sandbox", "exec", id, "-c", "print(open('a.txt').read()); print(open('tree/deep/b.txt').read())"));

        await OkAsync("sandbox", "exec", id, "-c", "import os; os.symlink('/etc/passwd', 'tree/link'); open('tree/new', 'w').write('three')");
        var there = Path.Combine(_directory.Path, "out");
        await OkAsync("sandbox", "cp", id + ":/workspace/tree", there);
        Assert.Equal("three", await File.ReadAllTextAsync(Path.Combine(there, "new")));
        Assert.Equal("two", await File.ReadAllTextAsync(Path.Combine(there, "deep", "b.txt")));
        Assert.False(Path.Exists(Path.Combine(there, "link")));

        // Into what is there, under its own name; /. is what a directory holds.
        await OkAsync("sandbox", "cp", here, id + ":/workspace/");
        await OkAsync("sandbox", "cp", here, id + ":/workspace/tree");
        await OkAsync("sandbox", "cp", here + "/.", id + ":/workspace/held");
        await OkAsync("sandbox", "cp", Path.Combine(here, "a.txt"), id + ":/workspace/held/deep");
        Assert.Equal("True True True True\n", await OkAsync(
            "sandbox", "exec", id, "-c", "import os; print(*map(os.path.isfile, ['in/a.txt', 'tree/in/deep/b.txt', 'held/deep/b.txt', 'held/deep/a.txt']))"));
        await OkAsync("sandbox", "cp", id + ":/workspace/held", there);
        await OkAsync("sandbox", "cp", id + ":/workspace/held/deep/.", there);
        Assert.Equal("two", await File.ReadAllTextAsync(Path.Combine(there, "held", "deep", "b.txt")));
        Assert.Equal("two", await File.ReadAllTextAsync(Path.Combine(there, "b.txt")));

        await OkAsync("sandbox", "cp", id + ":/workspace/a.txt", Path.Combine(_directory.Path, "copied"));
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(_directory.Path, "copied")));
    }

    [Theory]
    [InlineData("run", "-c", "1", "--server", "ftp://x")]
    [InlineData("run", "-c", "1", "--server", "http://127.0.0.1:1/path")]
    [InlineData("run", "-c", "1", "--server", "http://127.0.0.1:1", "--allow-degraded", "memory")]
    [InlineData("sandbox", "exec", "sabc")]
    [InlineData("sandbox", "exec", "NOT AN ID", "-c", "1")]
    [InlineData("sandbox", "cp", "a", "b")]
    [InlineData("sandbox", "rm")]
    public async Task What_makes_no_sense_is_refused(params string[] arguments) => Assert.Equal(2, (await RawAsync(arguments)).ExitCode);

    [Fact]
    public async Task A_server_that_is_not_there_is_told_at_once()
    {
        var (exitCode, _, errors) = await RawAsync("run", "-c", "1", "--server", "http://127.0.0.1:1");
        Assert.Equal(70, exitCode);
        Assert.Contains("127.0.0.1:1", errors, StringComparison.Ordinal);
    }

    private async Task<(int, string)> ExecAsync(string id, params string[] arguments)
    {
        var (exitCode, output, _) = await CoveAsync(["sandbox", "exec", id, .. arguments]);
        return (exitCode, output);
    }

    private async Task<string> OkAsync(params string[] arguments)
    {
        var (exitCode, output, errors) = await CoveAsync(arguments);
        Assert.True(exitCode == 0, $"cove {string.Join(' ', arguments)} ended with {exitCode}: {errors}");
        return output;
    }

    private Task<(int ExitCode, string Output, string Errors)> CoveAsync(params string[] arguments)
    {
        var cut = Array.IndexOf(arguments, "--");
        return cut < 0 ? RawAsync([.. arguments, "--server", _address]) : RawAsync([.. arguments[..cut], "--server", _address, .. arguments[cut..]]);
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RawAsync(params string[] arguments)
    {
        var start = CoveProgram.Start(arguments);
        start.Environment.Remove("COVE_API_KEY");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}
