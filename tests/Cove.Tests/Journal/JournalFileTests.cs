using System.Text;
using System.Text.Json;
using Cove.Engine;
using Cove.Engine.Journal;
using Cove.Tests.Support;
using Cove.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Journal;

/// <summary>Journals on disk, without an engine above them.</summary>
public sealed class JournalFileTests : IDisposable
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private static readonly SandboxId Sandbox = new("s1");
    private static readonly RunId Run = new("r1");
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task What_was_written_is_read_back_as_it_was()
    {
        using var journals = Open();
        var journal = Begin(journals);
        var written = await WriteAsync(journal, 50);
        var log = journal.Find(Run)!;
        log.Drop(); // so that it has to come from the file
        AssertSame(written, await log.ReadAsync(0).ToListAsync());
        AssertSame(written[10..], await log.ReadAsync(10).ToListAsync());
        AssertSame(written, await journals.Stored(Sandbox)!.ReadRunAsync(Run, 0, CancellationToken.None).ToListAsync());
        Assert.Equal(["created", "run_started", "run_completed"], (await journal.ReadAsync(0, follow: false, CancellationToken.None).ToListAsync()).Select(e => e.Type));
        Assert.Equal(["created", "run_started", "run_completed"], (await journals.Stored(Sandbox)!.ReadEventsAsync(0, CancellationToken.None).ToListAsync()).Select(e => e.Type));
    }

    [Fact]
    public async Task Everything_is_its_users_alone()
    {
        using var journals = Open();
        await WriteAsync(Begin(journals), 1);
        foreach (var entry in Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories).Append(Root))
        {
            Assert.Equal(default, File.GetUnixFileMode(entry) & Others);
        }
    }

    [Theory]
    [InlineData("{\"sequence\":99,\"run\":\"r1\",\"event\":{\"type\":\"outp")]
    [InlineData("{")]
    [InlineData("\0\0\0\0")]
    public async Task A_line_that_was_torn_by_a_kill_is_as_if_it_was_never_written(string torn)
    {
        List<RunEvent> written;
        using (var journals = Open())
        {
            written = await WriteAsync(Begin(journals), 5, ends: false);
        }

        await File.AppendAllTextAsync(JournalPaths.Segment(new JournalPaths(Root).Live(Sandbox), 1), torn);
        using var next = Open();
        var (info, runs) = Assert.Single(next.Recover());
        Assert.Equal((SandboxState.Ended, SandboxEndReason.EngineLost), (info.State, info.EndReason));
        Assert.Equal("engine_lost", Assert.Single(runs).Result!.Error!.Code);
        var read = await next.Stored(Sandbox)!.ReadRunAsync(Run, 0, CancellationToken.None).ToListAsync();
        AssertSame(written, read[..^1]);
        Assert.Equal(RunOutcome.InfrastructureFailure, Assert.IsType<RunCompleted>(read[^1]).Result.Outcome);
        Assert.Equal(written[^1].Sequence + 1, read[^1].Sequence);
        Assert.Empty(next.Recover()); // it is written down, and not made up anew
    }

    [Fact]
    public async Task A_lost_run_has_written_what_its_journal_has()
    {
        using (var journals = Open())
        {
            var journal = Begin(journals);
            await WriteAsync(journal, 0, ends: false, log: LogOf(journal, out var log));
            log.Append(new RunOutput { Sequence = 2, Time = DateTimeOffset.UnixEpoch, Stream = OutputStream.Stdout, Text = "drei" });
            log.Append(new RunOutput { Sequence = 3, Time = DateTimeOffset.UnixEpoch, Stream = OutputStream.Stderr, Text = "漢字\n" });
            log.Append(new RunOutput { Sequence = 4, Time = DateTimeOffset.UnixEpoch, Stream = OutputStream.Stdout, Text = " ü\n" });
        }

        // Whoever reads before the next engine has written the end down sees the same.
        var unwritten = (await new StoredJournal(new JournalPaths(Root), Sandbox, _time).ReadRunAsync(Run, 0, CancellationToken.None).ToListAsync())[^1];
        using var next = Open();
        var lost = Assert.Single(Assert.Single(next.Recover()).Runs).Result!;
        var told = (await next.Stored(Sandbox)!.ReadRunAsync(Run, 4, CancellationToken.None).ToListAsync())[^1];
        Assert.All([lost, Assert.IsType<RunCompleted>(told).Result, Assert.IsType<RunCompleted>(unwritten).Result], result => Assert.Equal((8, 7), (result.StdoutBytes, result.StderrBytes)));
    }

    [Fact]
    public async Task Over_its_bound_a_journal_drops_its_oldest_events_and_says_so()
    {
        using var journals = Open(o => o with { JournalBytesPerSandbox = 1 << 20 });
        var journal = Begin(journals);
        var written = await WriteAsync(journal, 3000, text: new string('x', 1000));
        var log = journal.Find(Run)!;
        log.Drop();
        Assert.InRange(Files(new JournalPaths(Root).Live(Sandbox)).Sum(f => f.Length), 512 << 10, (1 << 20) + (256 << 10));
        var failure = await Assert.ThrowsAsync<CoveException>(async () => await log.ReadAsync(0).ToListAsync());
        Assert.Equal("events_expired", failure.Error.Code);
        var first = written.First(e => failure.Error.Remediation.Contains($"after={e.Sequence},", StringComparison.Ordinal)).Sequence;
        AssertSame(written[(int)first..], await log.ReadAsync(first).ToListAsync());
        AssertSame(written[(int)first..], await journals.Stored(Sandbox)!.ReadRunAsync(Run, first, CancellationToken.None).ToListAsync());
    }

    [Fact]
    public async Task A_reader_that_is_behind_reads_files_while_they_are_written_and_moved()
    {
        using var journals = Open();
        var journal = Begin(journals);
        await using var reader = LogOf(journal, out var log).ReadAsync(0).GetAsyncEnumerator();
        var writing = WriteAsync(journal, 4000, text: new string('x', 1000), log: log);
        var read = new List<RunEvent>();
        Assert.True(await reader.MoveNextAsync());
        read.Add(reader.Current);
        var written = await writing;
        Assert.InRange(log.Bytes, 0, 2 << 20); // it is not in memory any more
        journal.End(Info with { State = SandboxState.Ended });
        journals.Retire(journal);
        while (await reader.MoveNextAsync())
        {
            read.Add(reader.Current);
        }

        AssertSame(written, read);
    }

    [Fact]
    public async Task Old_journals_and_those_that_are_too_many_are_swept()
    {
        using (var journals = Open())
        {
            foreach (var id in new[] { "s1", "s2", "s3" })
            {
                var journal = Begin(journals, new SandboxId(id));
                await WriteAsync(journal, 1000, text: new string('x', 500));
                journal.End(Info with { State = SandboxState.Ended });
                journals.Retire(journal);
            }
        }

        var paths = new JournalPaths(Root);
        Age("s1", TimeSpan.FromDays(8));
        Age("s2", TimeSpan.FromDays(2));
        Age("s3", TimeSpan.FromDays(1));
        // Without a file it is as old as its directory.
        Directory.CreateDirectory(paths.Ended(new SandboxId("o1"))).LastWriteTimeUtc = _time.GetUtcNow().UtcDateTime - TimeSpan.FromDays(8);
        Directory.CreateDirectory(paths.Ended(new SandboxId("n1"))).LastWriteTimeUtc = _time.GetUtcNow().UtcDateTime - TimeSpan.FromDays(1.5);
        await SweepAsync(Options(), "n1", "s2", "s3");
        Directory.Delete(paths.Ended(new SandboxId("n1")));
        await SweepAsync(Options() with { JournalBytes = 1 << 20 }, "s3");
        Assert.Equal(["s3"], JournalPaths.In(paths.EndedRoot).Select(i => i.Value));

        async Task SweepAsync(EngineOptions options, params string[] left)
        {
            using var disk = new JournalDisk(paths, options, _time, NullLogger.Instance, () => []);
            disk.Count();
            await Eventually.Holds(() => JournalPaths.In(paths.EndedRoot).Select(i => i.Value).Order().SequenceEqual(left), string.Join(' ', left) + " are left");
        }

        void Age(string id, TimeSpan age)
        {
            foreach (var file in Files(paths.Ended(new SandboxId(id))))
            {
                file.LastWriteTimeUtc = _time.GetUtcNow().UtcDateTime - age;
            }
        }
    }

    [Fact]
    public async Task A_sandboxs_end_is_looked_at_too_and_the_bound_holds_without_waiting_for_an_hour()
    {
        using var journals = Open(o => o with { JournalBytes = 4 << 20 });
        for (var i = 0; i < 20; i++)
        {
            var journal = Begin(journals, new SandboxId($"s{i}"));
            await WriteAsync(journal, 1000, text: new string('x', 500));
            journal.End(Info with { State = SandboxState.Ended });
            journals.Retire(journal);
            await Eventually.Holds(() => OnDisk() <= 4 << 20 && journals.Disk!.Bytes <= 4 << 20, "what is too much is removed at once");
        }

        await Eventually.Holds(() => OnDisk() is >= 1 << 20 and <= 4 << 20, "no more is removed than is too much");
        Assert.NotNull(journals.Stored(new SandboxId("s19")));
        Assert.Null(journals.Stored(new SandboxId("s0")));
    }

    [Fact]
    public async Task Live_journals_count_and_are_cut_to_an_equal_share()
    {
        using var journals = Open(o => o with { JournalBytes = 4 << 20 });
        var (old, live) = (Begin(journals, new SandboxId("old")), Enumerable.Range(0, 8).Select(i => Begin(journals, new SandboxId($"s{i}"))).ToArray());
        await WriteAsync(old, 1000, text: new string('x', 500));
        old.End(Info with { State = SandboxState.Ended });
        journals.Retire(old);
        foreach (var journal in live)
        {
            await WriteAsync(journal, 2000, text: new string('x', 500)); // 1.3 MB each
            await Eventually.Holds(() => OnDisk() <= 4 << 20, "what is too much is removed while all of them live");
        }

        Assert.Null(journals.Stored(old.Sandbox)); // an ended one goes first
        await Eventually.Holds(() => journals.Disk!.Bytes is > 0 and <= 4 << 20, "it is counted, too"); // just behind the removing
        Assert.Equal("events_expired", (await Assert.ThrowsAsync<CoveException>(async () => await live[0].Find(Run)!.ReadAsync(0).ToListAsync())).Error.Code);
        var after = await WriteAsync(live[0], 10, log: new RunLog(new RunId("r2"), live[0]));
        Assert.Equal(12, after.Count); // it goes on
    }

    [Fact]
    public void A_directory_is_one_engines_alone()
    {
        using var journals = Open();
        Assert.Equal("journal_in_use", Assert.Throws<CoveException>(() => Open()).Error.Code);
    }

    [Fact]
    public async Task A_disk_that_fails_ends_the_writing_and_not_the_run()
    {
        using var journals = Open(o => o with { JournalBytesPerSandbox = 1 << 20 });
        var journal = Begin(journals);
        Directory.Delete(new JournalPaths(Root).Live(Sandbox), recursive: true); // the next segment can not be made
        var written = await WriteAsync(journal, 500, text: new string('x', 1000));
        Assert.Equal(written[^1], (await journal.Find(Run)!.ReadAsync(written[^1].Sequence - 1).ToListAsync())[^1]);
    }

    private string Root => Path.Combine(_directory.Path, "journal");

    /// <summary>What the files hold together; more than any bound when some were removed or moved while they were counted.</summary>
    private long OnDisk()
    {
        try
        {
            return new DirectoryInfo(Root).EnumerateFiles("*.jsonl", SearchOption.AllDirectories).Sum(file => file.Length);
        }
        catch (Exception changing) when (changing is FileNotFoundException or DirectoryNotFoundException)
        {
            return long.MaxValue;
        }
    }

    internal static SandboxInfo Info { get; } = new()
    {
        Id = Sandbox,
        Template = "base",
        State = SandboxState.Ready,
        Limits = new SandboxLimits(),
        Isolation = FakeCove.Tier,
        CreatedAt = DateTimeOffset.UnixEpoch,
        ExpiresAt = DateTimeOffset.UnixEpoch,
        IdleTimeout = TimeSpan.FromMinutes(1),
    };

    private static IEnumerable<FileInfo> Files(string directory) => new DirectoryInfo(directory).EnumerateFiles();

    private EngineOptions Options() => new() { TemplatesDirectory = "/", JournalDirectory = Root };

    private Journals Open(Func<EngineOptions, EngineOptions>? change = null) => new(change?.Invoke(Options()) ?? Options(), _time, NullLogger.Instance);

    private static SandboxJournal Begin(Journals journals, SandboxId? id = null)
    {
        var journal = journals.Create(id ?? Sandbox);
        journal.Begin(Info with { Id = id ?? Sandbox });
        return journal;
    }

    private static RunLog LogOf(SandboxJournal journal, out RunLog log) => log = new RunLog(Run, journal);

    /// <summary>A run with so many outputs between its start and its end.</summary>
    private static async Task<List<RunEvent>> WriteAsync(SandboxJournal journal, int outputs, string text = "ü\n\"", bool ends = true, RunLog? log = null)
    {
        await Task.Yield();
        log ??= new RunLog(Run, journal);
        var written = new List<RunEvent> { new RunStarted { Sequence = 1, Time = DateTimeOffset.UnixEpoch, Run = Run, Sandbox = Sandbox } };
        for (var i = 0; i < outputs; i++)
        {
            written.Add(new RunOutput { Sequence = i + 2, Time = DateTimeOffset.UnixEpoch, Stream = OutputStream.Stdout, Text = new StringBuilder(text).Append(i).ToString() });
        }

        if (ends)
        {
            var result = new RunResult { Outcome = RunOutcome.Ok, Duration = TimeSpan.Zero, Isolation = FakeCove.Tier };
            written.Add(new RunCompleted { Sequence = outputs + 2, Time = DateTimeOffset.UnixEpoch, Result = result });
        }

        written.ForEach(log.Append);
        return written;
    }

    /// <summary>Compared as they are written: lists in records would be compared by reference.</summary>
    private static void AssertSame(IEnumerable<RunEvent> expected, IEnumerable<RunEvent> actual) => Assert.True(Lines(expected) == Lines(actual), "The events differ.");

    private static string Lines(IEnumerable<RunEvent> events) => string.Join('\n', events.Select(e => JsonSerializer.Serialize(e, CoveJson.Wire.RunEvent)));
}
