using Cove.Tests.Support;
using System.Diagnostics;
using Xunit;

namespace Cove.Tests.Cli;

/// <summary>The command as a process, up to the point where an engine would be started for it.</summary>
public sealed class RunCommandTests : IDisposable
{
    private readonly DirectoryInfo _place = TemporaryPlace.Make();

    public void Dispose() => _place.Delete(recursive: true);

    [Theory]
    [InlineData("--timout is no option of run", "run", "-c", "1", "--timout", "5s")]
    [InlineData("-x is no option of run", "run", "a.py", "-x")]
    [InlineData("10ms to 24h", "run", "-c", "1", "--timeout", "0s")]
    [InlineData("--memory is '1KB', which is not acceptable", "run", "-c", "1", "--memory", "1KB")]
    [InlineData("64MB to 1TB", "run", "-c", "1", "--memory", "1KB")]
    [InlineData("8 to 32768", "run", "-c", "1", "--pids", "2")]
    [InlineData("memory, cpu, pids, landlock, ids", "run", "-c", "1", "--allow-degraded", "memry")]
    [InlineData("--out is empty", "run", "-c", "1", "--out", "")]
    [InlineData("is no regular file", "run", "-c", "1", "--file", "/dev/null")]
    [InlineData("--file /none is not there", "run", "-c", "1", "--file", "/none")]
    public async Task Mistakes_are_named(string expected, params string[] arguments)
    {
        var (exitCode, _, error) = await CoveAsync(arguments);
        Assert.Equal(2, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipe_as_a_file_is_refused_instead_of_waited_for()
    {
        var pipe = Path.Combine(_place.FullName, "pipe");
        using (var made = Process.Start("mkfifo", pipe))
        {
            await made.WaitForExitAsync();
        }

        var (exitCode, _, error) = await CoveAsync("run", "-c", "1", "--file", pipe);
        Assert.Equal(2, exitCode);
        Assert.Contains("is no regular file", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_json_a_mistake_is_an_object()
    {
        var (exitCode, output, error) = await CoveAsync("run", "--json", "-c", "1", "--out", "");
        Assert.Equal((2, ""), (exitCode, error));
        Assert.Contains("\"code\":\"out_directory\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_that_is_lost_is_no_success()
    {
        var (exitCode, _, error) = await ShellAsync("\"$0\" \"$1\" version >/dev/full");
        Assert.Equal(70, exitCode);
        Assert.Contains("No space left", error, StringComparison.Ordinal);
    }

    private Task<(int ExitCode, string Output, string Error)> CoveAsync(params string[] arguments) => StartAsync("dotnet", [typeof(global::Cove.Cli.Libc).Assembly.Location, .. arguments]);

    private Task<(int ExitCode, string Output, string Error)> ShellAsync(string script) => StartAsync("bash", ["-c", script, "dotnet", typeof(global::Cove.Cli.Libc).Assembly.Location]);

    private async Task<(int ExitCode, string Output, string Error)> StartAsync(string program, IEnumerable<string> arguments)
    {
        File.SetUnixFileMode(_place.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false, WorkingDirectory = _place.FullName };
        start.Environment["XDG_RUNTIME_DIR"] = _place.FullName;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        return (process.ExitCode, await output, await error);
    }
}
