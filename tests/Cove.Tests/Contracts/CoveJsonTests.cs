using System.Text;
using System.Text.Json;
using Cove.Wire;
using Xunit;

namespace Cove.Tests.Contracts;

public sealed class CoveJsonTests
{
    [Fact]
    public void A_run_request_says_its_units_in_its_names()
    {
        var request = new RunRequest
        {
            Code = "print('ü <b>')",
            Language = Language.JavaScript,
            Timeout = TimeSpan.FromMilliseconds(1500.5),
            Stdin = "hi"u8.ToArray(),
            Id = new RunId("r1"),
        };

        var json = JsonSerializer.Serialize(request, CoveJson.Wire.RunRequest);

        Assert.Equal("""{"code":"print('ü <b>')","language":"javascript","stdin_base64":"aGk=","keep_stdin_open":false,"timeout_ms":1500.5,"id":"r1"}""", json);
        var back = JsonSerializer.Deserialize(json, CoveJson.Wire.RunRequest)!;
        Assert.Equal(request.Timeout, back.Timeout);
        Assert.Equal("hi", Encoding.UTF8.GetString(back.Stdin!.Value.Span));
        Assert.Equal(request with { Stdin = null }, back with { Stdin = null });
    }

    [Fact]
    public void What_a_request_leaves_out_has_its_default()
    {
        var sandbox = JsonSerializer.Deserialize("{}", CoveJson.Wire.SandboxRequest)!;
        Assert.Equal("python-data", sandbox.Template);
        Assert.Null(sandbox.Limits);

        var run = JsonSerializer.Deserialize("""{"code":"1"}""", CoveJson.Wire.RunRequest)!;
        Assert.Equal(Language.Python, run.Language);
        Assert.Null(run.Timeout);
        Assert.Null(run.Stdin);
    }

    [Theory]
    [InlineData("""{"memory":1}""")]
    [InlineData("""{"limits":{"memory_byte":1}}""")]
    [InlineData("""{"template":null}""")]
    [InlineData("""{"template":"a","template":"b"}""")]
    [InlineData("""{"idle_timeout_ms":"5s"}""")]
    [InlineData("""{"idle_timeout_ms":1e300}""")]
    [InlineData("[]")]
    public void A_sandbox_request_that_is_not_understood_is_refused(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, CoveJson.Wire.SandboxRequest));

    [Theory]
    [InlineData("""{"code":"1","lang":"bash"}""")]
    [InlineData("""{"code":"1","language":2}""")]
    [InlineData("""{"code":"1","language":"ruby"}""")]
    [InlineData("""{"code":"1","id":"../x"}""")]
    [InlineData("""{"code":"1","stdin_base64":"%%"}""")]
    public void A_run_request_that_is_not_understood_is_refused(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, CoveJson.Wire.RunRequest));

    [Fact]
    public void An_answer_may_gain_fields()
    {
        var kernel = JsonSerializer.Deserialize("""{"id":"k","language":"bash","version":"5","busy":true,"restarts":2,"mood":"good"}""", CoveJson.Wire.KernelInfo)!;
        Assert.Equal((Language.Bash, true, 2), (kernel.Language, kernel.Busy, kernel.Restarts));
    }

    [Fact]
    public void Times_are_UTC()
    {
        var entry = new FileEntry
        {
            Path = "/workspace/a",
            Kind = FileKind.Symlink,
            SizeBytes = 1,
            AllocatedBytes = 2,
            Mode = 0x1A4,
            ModifiedAt = new DateTimeOffset(2026, 11, 20, 10, 0, 0, 5, TimeSpan.FromHours(2)),
            LinkTarget = "b",
        };

        var json = JsonSerializer.Serialize(entry, CoveJson.Wire.FileEntry);

        Assert.Equal("""{"path":"/workspace/a","kind":"symlink","size_bytes":1,"allocated_bytes":2,"mode":420,"modified_at":"2026-11-20T08:00:00.005Z","link_target":"b"}""", json);
        Assert.Equal(entry.ModifiedAt, JsonSerializer.Deserialize(json, CoveJson.Wire.FileEntry)!.ModifiedAt);
    }

    public static TheoryData<RunEvent> Events() =>
    [
        new RunStarted { Sequence = 1, Time = DateTimeOffset.UnixEpoch, Run = new("r1"), Sandbox = new("s1"), Kernel = "python" },
        new RunOutput { Sequence = 2, Time = DateTimeOffset.UnixEpoch, Stream = OutputStream.Stderr, Text = "a\n\0\u2028\ud83d\ude00\"\\" },
        new RunNotice { Sequence = 3, Time = DateTimeOffset.UnixEpoch, Code = "output_cut", Message = "cut" },
        new RunCompleted
        {
            Sequence = 4,
            Time = DateTimeOffset.UnixEpoch,
            Result = new RunResult
            {
                Outcome = RunOutcome.OutOfMemory,
                ExitCode = 137,
                Duration = TimeSpan.FromTicks(12_345),
                StateLost = true,
                PeakMemoryBytes = 5,
                Isolation = new IsolationTier { Backend = "namespaces", Privilege = "root", Degraded = [] },
                Error = new RunError
                {
                    Code = "memory_limit",
                    Category = ErrorCategory.NotFound,
                    Retryable = true,
                    Message = "m",
                    Remediation = "r",
                    Evidence = new ErrorEvidence { Limit = "memory", LimitValue = 1L << 40, Signal = "SIGKILL" },
                },
            },
        },
    ];

    [Theory]
    [MemberData(nameof(Events), DisableDiscoveryEnumeration = true)]
    public void Events_come_back_as_they_were(RunEvent next)
    {
        var json = JsonSerializer.Serialize(next, CoveJson.Wire.RunEvent);

        Assert.DoesNotContain('\n', json);
        var back = JsonSerializer.Deserialize(json, CoveJson.Wire.RunEvent)!;
        Assert.Equal(json, JsonSerializer.Serialize(back, CoveJson.Wire.RunEvent));
        Assert.IsType(next.GetType(), back);
    }

    [Fact]
    public void The_end_of_a_run_reads_well()
    {
        var json = JsonSerializer.Serialize(Events().Last().Data, CoveJson.Wire.RunEvent);

        Assert.StartsWith("""{"type":"completed","result":{"outcome":"out_of_memory","exit_code":137,""", json, StringComparison.Ordinal);
        Assert.Contains("\"duration_ms\":1.2345", json, StringComparison.Ordinal);
        Assert.Contains("\"category\":\"not_found\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public void A_display_keeps_its_types()
    {
        var display = new RunDisplay
        {
            Sequence = 1,
            Time = DateTimeOffset.UnixEpoch,
            IsResult = true,
            Data = new Dictionary<string, string> { ["image/png"] = "aGk=", ["text/html"] = "<b>ü</b>" },
        };

        var back = Assert.IsType<RunDisplay>(JsonSerializer.Deserialize(JsonSerializer.Serialize<RunEvent>(display, CoveJson.Wire.RunEvent), CoveJson.Wire.RunEvent));

        Assert.Equal(display.Data, back.Data);
        Assert.True(back.IsResult);
    }

    [Fact]
    public void A_problem_carries_the_whole_error()
    {
        var error = Support.FakeCove.Error("file_not_found", ErrorCategory.NotFound).Error;

        var json = JsonSerializer.Serialize(Problem.From(error, 404), CoveJson.Wire.Problem);

        Assert.StartsWith("""{"type":"urn:cove:error:file_not_found","title":"file not found","status":404,"detail":"It is file_not_found.",""", json, StringComparison.Ordinal);
        Assert.Equal(error, JsonSerializer.Deserialize(json, CoveJson.Wire.Problem)!.ToError());
    }
}
