using System.Text.Json;
using Cove.Cli.Running;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Cli;

public sealed class RunSessionTests : IDisposable
{
    private readonly DirectoryInfo _place = TemporaryPlace.Make();
    private readonly FakeCove _cove = new();

    public void Dispose() => _place.Delete(recursive: true);

    [Fact]
    public async Task Output_goes_where_it_was_written_and_the_exit_code_is_the_programs()
    {
        _cove.Run = run =>
        {
            run.Print("out ü\n");
            run.Print("err\n", OutputStream.Stderr);
            run.Result = FakeCoveRun.Ended(RunOutcome.GuestError, 3, FakeCove.Error("exit", ErrorCategory.Code).Error);
            return Task.CompletedTask;
        };

        var (exitCode, output, error) = await RunAsync(Inline("1"));

        Assert.Equal((3, "out ü\n", "err\n"), (exitCode, output, error));
        Assert.Empty(_cove.Sandboxes);
    }

    [Theory]
    [InlineData(RunOutcome.Killed, 139, 139)]
    [InlineData(RunOutcome.TimedOut, 124)]
    [InlineData(RunOutcome.OutOfMemory, 137)]
    [InlineData(RunOutcome.Killed, 137)]
    [InlineData(RunOutcome.Interrupted, 130)]
    [InlineData(RunOutcome.Refused, 2)]
    [InlineData(RunOutcome.OutputLimit, 153)]
    [InlineData(RunOutcome.InfrastructureFailure, 70)]
    public async Task Ends_that_are_not_the_programs_are_explained(RunOutcome outcome, int expected, int? own = null)
    {
        _cove.Run = run =>
        {
            run.Result = FakeCoveRun.Ended(outcome, own, FakeCove.Error("some_limit", ErrorCategory.Limit).Error);
            return Task.CompletedTask;
        };

        var (exitCode, _, error) = await RunAsync(Inline("1"));

        Assert.Equal(expected, exitCode);
        Assert.Equal("cove: It is some_limit.\ncove: Do otherwise.\n", error);
    }

    [Theory]
    [InlineData(true, "42\nshown\n")]
    [InlineData(false, "shown\n")]
    public async Task The_last_value_is_printed_only_with_inline_code(bool inline, string expected)
    {
        _cove.Run = run =>
        {
            if (run.Request.Code == "1")
            {
                run.Show(isResult: true, ("text/plain", "42"));
                run.Show(isResult: false, ("text/plain", "shown"), ("text/html", "<b>shown</b>"));
            }

            return Task.CompletedTask;
        };

        var (_, output, _) = await RunAsync(inline ? Inline("1") : new Submission("1", "a.py", Language.Python, Inline: false, ["x"]));

        Assert.Equal(expected, output);
    }

    [Fact]
    public async Task What_it_made_is_saved_and_nothing_else()
    {
        var input = Path.Combine(_place.FullName, "in.csv");
        await File.WriteAllTextAsync(input, "data");
        _cove.Run = run =>
        {
            Assert.Equal("data", System.Text.Encoding.UTF8.GetString(_cove.Files["/workspace/in.csv"]));
            _cove.Files["/workspace/sub/report.csv"] = "report"u8.ToArray();
            _cove.Files["/workspace/figure-1.png"] = "own"u8.ToArray();
            _cove.Files["/workspace/../../../evil"] = "evil"u8.ToArray();
            run.Show(isResult: false, ("image/png", Convert.ToBase64String("png"u8)), ("text/plain", "<Figure>"));
            run.Show(isResult: false, ("image/png", "%%%"));
            return Task.CompletedTask;
        };
        var directory = Path.Combine(_place.FullName, "out");

        var (exitCode, output, error) = await RunAsync(Inline("1"), files: [input], outDirectory: directory);

        Assert.Equal((0, ""), (exitCode, output));
        var saved = Directory.GetFiles(directory, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(directory, f)).Order();
        Assert.Equal(["figure-1.png", "figure-2.png", "sub/report.csv"], saved);
        Assert.Equal("png", File.ReadAllText(Path.Combine(directory, "figure-2.png")));
        Assert.Contains("evil was not saved", error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_place.FullName, "evil")));
    }

    [Fact]
    public async Task A_figure_that_can_not_be_saved_is_said_and_the_run_stands()
    {
        _cove.Run = run =>
        {
            run.Show(isResult: false, ("image/png", Convert.ToBase64String("png"u8)));
            run.Show(isResult: false, ("image/png", Convert.ToBase64String("png"u8)));
            return Task.CompletedTask;
        };
        var directory = Directory.CreateDirectory(Path.Combine(_place.FullName, "out", "figure-1.png")).Parent!.FullName;

        var (exitCode, _, error) = await RunAsync(Inline("1"), outDirectory: directory);

        Assert.Equal(0, exitCode);
        Assert.Contains("figure-1.png was not saved", error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(directory, "figure-2.png")));
    }

    [Fact]
    public async Task What_the_interpreter_lost_matters_to_nobody_when_the_sandbox_goes_too()
    {
        _cove.Run = run =>
        {
            run.Emit(new RunNotice { Sequence = 0, Time = default, Code = "state_lost", Message = "gone; the next run starts a fresh shell" });
            var died = FakeCove.Error("kernel_died", ErrorCategory.Code).Error with { Message = "It ended (SIGSEGV); its variables are gone.", Remediation = "The next run gets a fresh kernel." };
            run.Result = FakeCoveRun.Ended(RunOutcome.Killed, 139, died);
            return Task.CompletedTask;
        };

        var (exitCode, _, error) = await RunAsync(Inline("1"));

        Assert.Equal(139, exitCode);
        Assert.Equal("cove: It ended (SIGSEGV).\ncove: Look for a crash in native code, or code that ends its own process.\n", error);
    }

    [Fact]
    public async Task A_full_disk_behind_standard_output_is_no_success()
    {
        _cove.Run = run =>
        {
            run.Print("lost");
            return Task.CompletedTask;
        };
        using var full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
        using var error = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Write);
        using var session = new RunSession
        {
            Screen = new Screen((int)full.DangerousGetHandle(), (int)error.DangerousGetHandle()),
            ReadProgram = () => Inline("1"),
            Request = new SandboxRequest(),
            Files = [],
        };
        session.Prepare();
        Assert.Equal(70, await session.RunAsync(_cove));
    }

    [Fact]
    public async Task Json_says_everything_in_one_object()
    {
        _cove.Run = run =>
        {
            run.Print("out");
            run.Print("err", OutputStream.Stderr);
            run.Show(isResult: true, ("text/plain", "42"));
            run.Emit(new RunNotice { Sequence = 0, Time = default, Code = "output_cut", Message = "cut" });
            _cove.Files["/workspace/new"] = [1, 2];
            return Task.CompletedTask;
        };

        var (exitCode, output, error) = await RunAsync(Inline("1"), json: true);

        Assert.Equal((0, ""), (exitCode, error));
        using var json = JsonDocument.Parse(output);
        var root = json.RootElement;
        Assert.Equal("ok", root.GetProperty("result").GetProperty("outcome").GetString());
        Assert.Equal(1.5, root.GetProperty("result").GetProperty("duration_ms").GetDouble());
        Assert.Equal("out", root.GetProperty("stdout").GetString());
        Assert.Equal("err", root.GetProperty("stderr").GetString());
        Assert.Equal("42", root.GetProperty("displays")[0].GetProperty("data").GetProperty("text/plain").GetString());
        Assert.Equal("output_cut", root.GetProperty("notices")[0].GetProperty("code").GetString());
        Assert.Equal("/workspace/new", root.GetProperty("files")[0].GetProperty("path").GetString());
        Assert.Equal("python-data", root.GetProperty("sandbox").GetProperty("template").GetString());
        Assert.Equal(20, root.GetProperty("run").GetString()!.Length);
    }

    [Fact]
    public async Task A_program_finds_its_arguments()
    {
        var told = new List<string?>();
        _cove.Run = run =>
        {
            told.Add(run.Request.Code);
            return Task.CompletedTask;
        };

        await RunAsync(new Submission("main()", "a.py", Language.Python, Inline: false, ["it's", "\"ü\n\ud83d\ude00"]));

        Assert.Equal(["__file__ = \"/workspace/a.py\"; __import__(\"sys\").argv[:] = [\"a.py\", \"it's\", \"\\U00000022\\U000000fc\\U0000000a\\U0001f600\"]", "main()"], told);
        Assert.Equal("set -- 'it'\\''s' 'a b'", Languages.ArgumentsCode(Language.Bash, "x", ["it's", "a b"]));
    }

    [Theory]
    [InlineData("a.py", Language.Python)]
    [InlineData("b/a.sh", Language.Bash)]
    [InlineData("a.mjs", Language.JavaScript)]
    [InlineData("a.txt", null)]
    public void The_ending_tells_the_language(string path, Language? language) => Assert.Equal(language, Languages.OfFile(path));

    [Fact]
    public void Mistakes_show_before_anything_is_started()
    {
        Assert.Equal("nothing_to_run", Prepare(() => Submission.Read(null, null, null, [])));
        Assert.Equal("script_unreadable", Prepare(() => Submission.Read(null, Path.Combine(_place.FullName, "none.py"), null, [])));
        Assert.Equal("unknown_language", Prepare(() => Submission.Read(null, "a.txt", null, [])));
        Assert.Equal("file_missing", Prepare(() => Inline("1"), "/none"));

        static string Prepare(Func<Submission> program, params string[] files)
        {
            using var session = new RunSession { ReadProgram = program, Request = new SandboxRequest(), Files = files };
            return Assert.Throws<CoveException>(session.Prepare).Error.Code;
        }
    }

    private static Submission Inline(string code) => new(code, "-c", Language.Python, Inline: true, []);

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(
        Submission program, IReadOnlyList<string>? files = null, string? outDirectory = null, bool json = false)
    {
        var (outPath, errorPath) = (Path.Combine(_place.FullName, ".out"), Path.Combine(_place.FullName, ".err"));
        int exitCode;
        using (var output = File.OpenHandle(outPath, FileMode.Create, FileAccess.Write, FileShare.Read))
        using (var error = File.OpenHandle(errorPath, FileMode.Create, FileAccess.Write, FileShare.Read))
        {
            using var session = new RunSession
            {
                Screen = new Screen((int)output.DangerousGetHandle(), (int)error.DangerousGetHandle()),
                ReadProgram = () => program,
                Request = new SandboxRequest(),
                Files = files ?? [],
                OutDirectory = outDirectory,
                Json = json,
            };
            session.Prepare();
            exitCode = await session.RunAsync(_cove);
        }

        return (exitCode, await File.ReadAllTextAsync(outPath), await File.ReadAllTextAsync(errorPath));
    }
}
