using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cove.Wire;
using Xunit;

namespace Cove.Tests.Contracts;

/// <summary>What is written by hand is what the serializer writes, byte for byte.</summary>
public sealed class RunWriterTests
{
    private static readonly string _everyCharacter = string.Concat(Enumerable.Range(0, 0x10000).Select(c => (char)c));

    private static readonly string[] _texts =
    [
        "", "plain", "a\n\0\u2028\ud83d\ude00\"\\/", "</script> & 'ü' +", "\u001f\u007f\u0080\ufeff\uffff", "\ud800", "x\udc00", "\udc00\ud800", new('"', 3000), new('ü', 100_000), _everyCharacter,
    ];

    private static readonly DateTimeOffset[] _times =
    [
        default, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, new(2026, 11, 20, 8, 0, 0, TimeSpan.FromHours(2)), new(2026, 11, 20, 23, 59, 59, 999, TimeSpan.FromMinutes(-210)),
        .. Enumerable.Range(0, 8).Select(digits => new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks((long)Math.Pow(10, digits) - 1)),
    ];

    private static readonly TimeSpan[] _spans = [TimeSpan.Zero, TimeSpan.FromTicks(1), TimeSpan.FromTicks(12_345), TimeSpan.FromMilliseconds(7), TimeSpan.FromDays(40), TimeSpan.FromMilliseconds(-1.5)];

    private static readonly RunResult _full = new()
    {
        Outcome = RunOutcome.GuestError,
        ExitCode = -1,
        Duration = TimeSpan.FromTicks(12_345),
        ToolWait = TimeSpan.FromSeconds(1),
        ToolCalls = int.MaxValue,
        StateLost = true,
        PeakMemoryBytes = long.MaxValue,
        CpuThrottled = TimeSpan.FromTicks(99),
        StdoutBytes = long.MaxValue,
        StderrBytes = 3,
        Isolation = new IsolationTier { Backend = "namespaces", Privilege = "bare", Degraded = ["memory", "cpu\n"] },
        Error = new RunError
        {
            Code = "python_exception",
            Category = ErrorCategory.NotFound,
            Retryable = true,
            Message = "m\n",
            Remediation = "r",
            Evidence = new ErrorEvidence { ExceptionType = "E", ExceptionMessage = "m", Traceback = "t", ExitCode = 1, Signal = "SIGKILL", Limit = "memory", LimitValue = 1L << 40, PeakMemoryBytes = 5, CpuThrottled = TimeSpan.FromTicks(1) },
        },
    };

    private static readonly RunResult _bare = new()
    {
        Outcome = RunOutcome.Ok,
        Duration = TimeSpan.Zero,
        Isolation = new IsolationTier { Backend = "", Privilege = "", Degraded = [] },
    };

    /// <summary>Each kind of event with every field.</summary>
    private static readonly RunEvent[] _events =
    [
        new RunStarted { Sequence = 1, Time = _times[^1], Run = new("r1"), Sandbox = new("s1"), Kernel = "python", CorrelationId = "c\"1" },
        new RunOutput { Sequence = long.MaxValue, Time = _times[1], Stream = OutputStream.Stderr, Text = "text" },
        new RunDisplay { Sequence = 3, Time = _times[2], IsResult = true, Data = new Dictionary<string, string> { ["text/plain"] = "2", ["image/png"] = "aGk=", ["\"ü\n"] = "" } },
        new RunNotice { Sequence = 4, Time = _times[3], Code = "output_cut", Message = "cut" },
        new RunToolCall { Sequence = 5, Time = _times[4], CallId = "c1", Name = "n", Arguments = JsonElement.Parse("""{"a": [1, "ü"]}""") },
        new RunToolAnswered { Sequence = 6, Time = _times[5], CallId = "c1", Waited = TimeSpan.FromTicks(5), Error = new HostFailure { Category = "input", Message = "m", Retryable = true } },
        new RunCompleted { Sequence = 7, Time = _times[6], Result = _full },
    ];

    [Fact]
    public void Each_kind_of_event_is_written_as_the_serializer_would()
    {
        Assert.Equal(typeof(RunEvent).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(kind => kind.DerivedType).ToHashSet(), _events.Select(next => next.GetType()).ToHashSet());
        Assert.All(_events, AssertWhole);
        Assert.All(_events, AssertSame);
    }

    [Fact]
    public void What_an_event_does_not_have_is_left_out() => Assert.All<RunEvent>(
        [
            new RunStarted { Sequence = 0, Time = default, Run = new("r1"), Sandbox = new("s1") },
            new RunDisplay { Sequence = 0, Time = default, IsResult = false, Data = new Dictionary<string, string>() },
            new RunToolAnswered { Sequence = 0, Time = default, CallId = "c1", Waited = TimeSpan.Zero },
            Completed(_bare),
        ],
        AssertSame);

    [Fact]
    public void Every_text_is_escaped_as_the_serializer_does() => Assert.All(_texts, text =>
    {
        Assert.All(Enum.GetValues<OutputStream>(), stream => AssertSame(new RunOutput { Sequence = 1, Time = default, Stream = stream, Text = text }));
        AssertSame(new RunNotice { Sequence = 1, Time = default, Code = text, Message = text });
        AssertSame(new RunStarted { Sequence = 1, Time = default, Run = new("r1"), Sandbox = new("s1"), Kernel = text, CorrelationId = text });
        AssertSame(new RunDisplay { Sequence = 1, Time = default, IsResult = true, Data = new Dictionary<string, string> { [text] = text } });
        AssertSame(Completed(_full with { Isolation = new IsolationTier { Backend = text, Privilege = text, Degraded = [text, text] }, Error = _full.Error! with { Message = text } }));
        AssertSame(Finished(_full) with { CorrelationId = text, Stdout = text, Stderr = text });
    });

    [Fact]
    public void Every_time_and_number_is_written_as_the_serializer_does()
    {
        Assert.All(_times, time => AssertSame(new RunOutput { Sequence = 1, Time = time, Stream = OutputStream.Stdout, Text = "" }));
        Assert.All(_times, time => Assert.Equal(
            '"' + time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", System.Globalization.CultureInfo.InvariantCulture) + '"', Written(json => Rfc3339Converter.Write(json, time))));
        Assert.All(_spans, span => AssertSame(Completed(_bare with { Duration = span, ToolWait = span, CpuThrottled = span })));
        Assert.All([0, -1, long.MinValue], number => AssertSame(Completed(_bare with { ExitCode = (int)number, ToolCalls = (int)number, PeakMemoryBytes = number, StdoutBytes = number, StderrBytes = number })));
        Assert.All(Enum.GetValues<RunOutcome>(), outcome => AssertSame(Completed(_bare with { Outcome = outcome })));
    }

    [Fact]
    public void A_whole_run_is_written_as_the_serializer_would()
    {
        AssertWhole(Finished(_full));
        AssertSame(Finished(_full));
        AssertSame(Finished(_bare) with { Run = null, CorrelationId = null, Stdout = "", Displays = [], Notices = [] });
    }

    [Fact]
    public void A_buffer_in_use_is_nobody_elses_and_is_empty_when_it_is_taken_again()
    {
        using (var outer = WireBuffer.Take())
        {
            outer.Json.WriteStartObject();
            using var inner = WireBuffer.Take();
            inner.Json.WriteNumberValue(1);
            inner.Json.Flush();
            outer.Json.WriteEndObject();
            outer.Json.Flush();
            Assert.Equal(("{}", "1"), (Encoding.UTF8.GetString(outer.Bytes.WrittenSpan), Encoding.UTF8.GetString(inner.Bytes.WrittenSpan)));
            outer.Json.WriteStartObject(); // and breaks off
        }

        Assert.Equal("[]", Written(static json =>
        {
            json.WriteStartArray();
            json.WriteEndArray();
        }));
    }

    private static RunCompleted Completed(RunResult result) => new() { Sequence = 1, Time = DateTimeOffset.UnixEpoch, Result = result };

    private static FinishedRun Finished(RunResult result) => new()
    {
        Run = new("r1"),
        Sandbox = new("s1"),
        CorrelationId = "c1",
        Result = result,
        Stdout = "out",
        Stderr = "err",
        Displays = [.. _events.OfType<RunDisplay>(), .. _events.OfType<RunDisplay>()],
        Notices = [.. _events.OfType<RunNotice>(), .. _events.OfType<RunNotice>()],
    };

    private static void AssertSame(RunEvent next) => Assert.Equal(JsonSerializer.Serialize(next, CoveJson.Wire.RunEvent), Written(json => RunWriter.Write(json, next)));

    private static void AssertSame(FinishedRun run) => Assert.Equal(JsonSerializer.Serialize(run, CoveJson.Wire.FinishedRun), Written(json => RunWriter.Write(json, run)));

    private static string Written(Action<Utf8JsonWriter> write)
    {
        using var buffer = WireBuffer.Take();
        write(buffer.Json);
        buffer.Json.Flush();
        return Encoding.UTF8.GetString(buffer.Bytes.WrittenSpan);
    }

    /// <summary>No field of it, or of what it holds, is missing: one that a contract gains has to be here, and so to be written.</summary>
    private static void AssertWhole(object whole)
    {
        foreach (var property in whole.GetType().GetProperties().Where(p => p.GetIndexParameters().Length == 0 && p.GetCustomAttribute<JsonIgnoreAttribute>() is null))
        {
            var value = property.GetValue(whole);
            Assert.True(value is not (null or false or 0 or 0L or ""), $"{whole.GetType().Name}.{property.Name} has no value.");
            if (property.PropertyType.Namespace == nameof(Cove) && property.PropertyType is { IsEnum: false, IsValueType: false })
            {
                AssertWhole(value);
            }
        }
    }
}
