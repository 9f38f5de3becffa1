using Cove.Engine.Files;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Files;

/// <summary>File calls against workers that are honest, dead, silent or lying.</summary>
public sealed class SandboxFilesTests
{
    private const string Entry = """{"path":"/tmp/a","type":"file","size_bytes":3,"allocated_bytes":4096,"mode":420,"modified_ms":1767225600000}""";

    private static async Task<(EngineHarness Harness, SandboxId Id, FakeCell Cell)> StartAsync(Func<FakeFileWorker> worker, TimeProvider? time = null)
    {
        var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        cell.FileWorker = worker;
        return (harness, id, cell);
    }

    private static async Task<RunError> ErrorAsync(Func<Task> call) => (await Assert.ThrowsAsync<CoveException>(() => Eventually.Within(call()))).Error;

    [Fact]
    public async Task What_is_written_is_read_back()
    {
        var (harness, id, _) = await StartAsync(() => new FakeFileWorker());
        await using var engine = harness;
        var content = new byte[3_000_000];
        new Random(1).NextBytes(content);
        var entry = await harness.Engine.WriteFileAsync(id, "/tmp/a", new MemoryStream(content));
        Assert.Equal((content.Length, FileKind.File, 0x1A4), (entry.SizeBytes, entry.Kind, entry.Mode));
        await using var stream = await harness.Engine.ReadFileAsync(id, "/tmp/a");
        Assert.Equal(content.Length, stream.Length);
        var read = new MemoryStream();
        await stream.CopyToAsync(read);
        Assert.Equal(content, read.ToArray());
    }

    [Fact]
    public async Task A_write_whose_source_fails_is_aborted()
    {
        var worker = new FakeFileWorker();
        var (harness, id, _) = await StartAsync(() => worker);
        await using var engine = harness;
        await Assert.ThrowsAsync<IOException>(() => harness.Engine.WriteFileAsync(id, "/tmp/a", new BrokenStream()));
        Assert.Equal(["write", "abort"], worker.Operations);
        Assert.Empty(Directory.GetFiles(worker.Root));
    }

    [Theory]
    [InlineData("not_found", ErrorCategory.NotFound)]
    [InlineData("already_exists", ErrorCategory.Conflict)]
    [InlineData("no_space", ErrorCategory.Limit)]
    [InlineData("outside_roots", ErrorCategory.Request)]
    [InlineData("io_error", ErrorCategory.Infrastructure)]
    public async Task A_refusal_keeps_its_code(string code, ErrorCategory category)
    {
        var (harness, id, _) = await StartAsync(() => new FakeFileWorker { Script = _ => [$"\"ok\":false,\"code\":\"{code}\",\"message\":\"m\""] });
        await using var engine = harness;
        var error = await ErrorAsync(() => harness.Engine.StatFileAsync(id, "/tmp/a"));
        Assert.Equal((code, category), (error.Code, error.Category));
    }

    [Fact]
    public async Task A_listing_comes_in_pages_and_is_sorted()
    {
        var (harness, id, _) = await StartAsync(() => new FakeFileWorker
        {
            Script = _ => [$"\"ok\":true,\"more\":true,\"entries\":[{Entry.Replace("/a", "/z", StringComparison.Ordinal)}]", $"\"ok\":true,\"more\":false,\"entries\":[{Entry}]"],
        });
        await using var engine = harness;
        Assert.Equal(["/tmp/a", "/tmp/z"], (await harness.Engine.ListFilesAsync(id, "/tmp")).Select(e => e.Path));
    }

    [Fact]
    public async Task A_listing_that_was_cut_is_an_error()
    {
        var (harness, id, _) = await StartAsync(() => new FakeFileWorker { Script = _ => ["\"ok\":true,\"truncated\":true,\"entries\":[]"] });
        await using var engine = harness;
        Assert.Equal("too_many_entries", (await ErrorAsync(() => harness.Engine.ListFilesAsync(id, "/tmp"))).Code);
    }

    [Fact]
    public async Task A_worker_that_died_is_replaced_once()
    {
        var workers = 0;
        var (harness, id, cell) = await StartAsync(() =>
        {
            var worker = new FakeFileWorker { Script = _ => [$"\"ok\":true,\"stat\":{Entry}"] };
            if (++workers == 1)
            {
                worker.Die();
            }

            return worker;
        });
        await using var engine = harness;
        Assert.Equal("/tmp/a", (await Eventually.Within(harness.Engine.StatFileAsync(id, "/tmp/a"))).Path);
        Assert.Equal(2, cell.FileWorkersStarted);
    }

    public static TheoryData<string> Lies =>
    [
        "nonsense", "[]", """{"t":"file"}""", """{"t":"file","id":99,"ok":true}""", """{"t":"other","id":1,"ok":true}""", """{"t":"file","id":"1"}""",
    ];

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_worker_that_lies_is_dropped_and_the_call_ends(string lie)
    {
        var (harness, id, cell) = await StartAsync(() =>
        {
            var worker = new FakeFileWorker { Script = _ => [] };
            worker.SayRaw(lie);
            return worker;
        });
        await using var engine = harness;
        Assert.Equal("file_worker_lost", (await ErrorAsync(() => harness.Engine.StatFileAsync(id, "/tmp/a"))).Code);
        Assert.Equal(2, cell.FileWorkersStarted);
    }

    [Fact]
    public async Task An_answer_without_what_it_must_have_is_an_error()
    {
        var (harness, id, _) = await StartAsync(() => new FakeFileWorker { Script = _ => ["\"ok\":true"] });
        await using var engine = harness;
        Assert.Equal("file_worker_lost", (await ErrorAsync(() => harness.Engine.ReadFileAsync(id, "/tmp/a"))).Code);
        Assert.Equal("file_worker_lost", (await ErrorAsync(() => harness.Engine.StatFileAsync(id, "/tmp/a"))).Code);
        Assert.Equal("file_worker_lost", (await ErrorAsync(() => harness.Engine.WriteFileAsync(id, "/tmp/a", Stream.Null))).Code);
    }

    [Fact]
    public async Task A_descriptor_of_what_is_no_regular_file_is_not_touched()
    {
        FakeFileWorker? worker = null;
        var (harness, id, _) = await StartAsync(() => worker = new FakeFileWorker { Script = _ => [] });
        await using var engine = harness;
        var reading = harness.Engine.ReadFileAsync(id, "/tmp/a");
        await Eventually.Holds(() => worker?.Operations.IsEmpty == false, "the worker was asked");
        worker!.Say(1, "\"ok\":true", File.OpenHandle("/dev/zero"));
        Assert.Equal("not_a_file", (await ErrorAsync(() => reading)).Code);
    }

    [Fact]
    public async Task A_worker_that_says_nothing_is_given_up()
    {
        var time = new FakeTimeProvider();
        var (harness, id, _) = await StartAsync(() => new FakeFileWorker { Script = _ => [] }, time);
        await using var engine = harness;
        var error = await Assert.ThrowsAsync<CoveException>(() => time.AdvanceUntil(harness.Engine.StatFileAsync(id, "/tmp/a"), TimeSpan.FromSeconds(1)));
        Assert.Equal("file_worker_lost", error.Error.Code);
    }

    [Fact]
    public async Task Answers_find_their_requests_in_any_order()
    {
        FakeFileWorker? worker = null;
        var (harness, id, _) = await StartAsync(() => worker = new FakeFileWorker { Script = _ => [] });
        await using var engine = harness;
        var first = harness.Engine.StatFileAsync(id, "/tmp/a");
        await Eventually.Holds(() => worker?.Operations.Count == 1, "the first was asked");
        var second = harness.Engine.StatFileAsync(id, "/tmp/b");
        await Eventually.Holds(() => worker!.Operations.Count == 2, "the second was asked");
        worker!.Say(2, $"\"ok\":true,\"stat\":{Entry.Replace("/a", "/b", StringComparison.Ordinal)}", null);
        Assert.Equal("/tmp/b", (await Eventually.Within(second)).Path);
        Assert.False(first.IsCompleted);
        worker.Say(1, $"\"ok\":true,\"stat\":{Entry}", null);
        Assert.Equal("/tmp/a", (await Eventually.Within(first)).Path);
    }

    [Theory]
    [InlineData("/tmp/100%25", "/tmp/100%")]
    [InlineData("/tmp/%2525", "/tmp/%25")]
    [InlineData("/tmp/%C3%A9", "/tmp/é")]
    [InlineData("/tmp/%ff", "/tmp/\ufffd")]
    [InlineData("/tmp/%", "/tmp/%")]
    [InlineData("/tmp/plain é", "/tmp/plain é")]
    public void A_path_is_shown_plainly(string wire, string shown) => Assert.Equal(shown, FilePaths.Show(wire));

    [Theory]
    [InlineData("")]
    [InlineData("relative")]
    [InlineData("/a\0b")]
    public async Task A_bad_path_is_refused(string path)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, _) = await harness.CreateAsync();
        Assert.Equal("invalid_request", (await ErrorAsync(() => harness.Engine.ReadFileAsync(id, path))).Code);
        Assert.Equal("invalid_request", (await ErrorAsync(() => harness.Engine.MoveFileAsync(id, "/tmp/a", path))).Code);
        Assert.Equal("invalid_request", (await ErrorAsync(() => harness.Engine.ListFilesAsync(id, "/tmp", 65))).Code);
        Assert.Equal("invalid_request", (await ErrorAsync(() => harness.Engine.WriteFileAsync(id, "/tmp/a", Stream.Null, new FileWriteOptions { Mode = 0x800 }))).Code);
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("broken");
    }
}
