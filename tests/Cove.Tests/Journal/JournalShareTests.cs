using Cove.Engine;
using Cove.Engine.Journal;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Journal;

/// <summary>Who gives way when the journals of several owners are too much together.</summary>
public sealed class JournalShareTests : IDisposable
{
    private const long Most = 4 << 20;
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task What_one_writes_without_end_pushes_out_its_own_journals_and_nobody_elses_also_after_a_restart()
    {
        using (var journals = Open(Most))
        {
            End(journals, "quiet", "quiet", 300);
            End(journals, "nobody", null, 300);
            for (var i = 0; i < 20; i++)
            {
                End(journals, $"loud{i}", "loud", 1000);
                await Eventually.Holds(() => journals.Disk!.Bytes <= Most, "what is too much is removed");
            }

            Assert.NotNull(journals.Stored(new SandboxId("quiet")));
            Assert.NotNull(journals.Stored(new SandboxId("nobody")));
            Assert.Null(journals.Stored(new SandboxId("loud0")));
            Assert.NotNull(journals.Stored(new SandboxId("loud19")));
        }

        using var next = Open(2 << 20);
        next.Recover();
        await Eventually.Holds(() => next.Disk!.Bytes <= 2 << 20, "what is too much for the next engine is removed");
        Assert.NotNull(next.Stored(new SandboxId("quiet")));
        Assert.NotNull(next.Stored(new SandboxId("nobody")));
        Assert.NotNull(next.Stored(new SandboxId("loud19")));
    }

    [Fact]
    public async Task Who_holds_most_with_living_sandboxes_is_cut_before_anothers_ended_journal_goes()
    {
        using var journals = Open(Most);
        End(journals, "quiet", "quiet", 300);
        var loud = Enumerable.Range(0, 3).Select(i => Begin(journals, $"loud{i}", "loud")).ToArray();
        for (var i = 0; i < 10; i++)
        {
            foreach (var journal in loud)
            {
                Write(journal, 500);
            }

            await Eventually.Holds(() => journals.Disk!.Bytes <= Most, "what is too much is cut");
        }

        Assert.NotNull(journals.Stored(new SandboxId("quiet")));
        Assert.InRange(loud.Sum(journal => journal.DiskBytes), Most / 2, Most); // as much as was too much, and no more
    }

    [Fact]
    public async Task What_a_killed_engine_left_is_still_its_owners()
    {
        using (var journals = Open(Most))
        {
            Write(Begin(journals, "quiet", "quiet"), 300);
            Write(Begin(journals, "loud", "loud"), 2000);
        }

        using var next = Open(1 << 20);
        Assert.Equal(2, next.Recover().Count);
        await Eventually.Holds(() => next.Stored(new SandboxId("loud")) is null, "who holds most gives way");
        Assert.NotNull(next.Stored(new SandboxId("quiet")));
    }

    [Fact]
    public void Of_too_many_who_has_most_gives_up_its_oldest_and_what_is_too_old_goes_whosever_it_is()
    {
        var ended = new EndedJournals();
        foreach (var (name, owner, day) in new[] { ("a1", "a", 1), ("b1", "b", 2), ("b2", "b", 3), ("b3", "b", 4), ("c1", null, 5), ("c2", null, 6) })
        {
            ended.Add(new EndedJournal(new SandboxId(name), owner, DateTimeOffset.UnixEpoch.AddDays(day), 10));
        }

        Assert.Equal(["b1", "b2", "a1"], new[] { ended.TakeOfMost(), ended.Take("b"), ended.TakeBefore(DateTimeOffset.UnixEpoch.AddDays(2)) }.Select(j => j!.Sandbox.Value));
        Assert.Null(ended.TakeBefore(DateTimeOffset.UnixEpoch.AddDays(2)));
        Assert.Equal((3, 10, 20, 0), (ended.Count, ended.Bytes("b"), ended.Bytes(""), ended.Bytes("a")));
        Assert.Equal(["b", ""], ended.Owners);
    }

    [Theory]
    [InlineData("{\"sequence\":0,\"owner\":\"a\\u0062\",\"info\":{\"id\":\"s1\"", "ab")]
    [InlineData("{\"sequence\":0,\"info\":{\"owner\":\"x\"}}", null)]
    [InlineData("{\"sequence\":0,\"owner\":\"al", null)]
    [InlineData("{\"sequence\":0,\"owner\":7,", null)]
    [InlineData("{\"sequence\":0,\"owner\"", null)]
    [InlineData("{\"sequence", null)]
    [InlineData("\0\0", null)]
    [InlineData("", null)]
    public void An_owner_is_read_from_the_beginning_of_a_segment_whatever_became_of_the_rest(string start, string? owner) =>
        Assert.Equal(owner, JournalLine.Owner(System.Text.Encoding.UTF8.GetBytes(start)));

    private Journals Open(long bytes) => new(
        new EngineOptions { TemplatesDirectory = "/", JournalDirectory = Path.Combine(_directory.Path, "journal"), JournalBytes = bytes, JournalBytesPerSandbox = Most / 2 }, _time, NullLogger.Instance);

    private SandboxJournal Begin(Journals journals, string sandbox, string? owner)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        var journal = journals.Create(new SandboxId(sandbox), owner);
        journal.Begin(JournalFileTests.Info with { Id = new SandboxId(sandbox) });
        return journal;
    }

    private static void Write(SandboxJournal journal, int outputs)
    {
        var log = new RunLog(RunId.New(), journal);
        log.Append(new RunStarted { Sequence = 1, Time = DateTimeOffset.UnixEpoch, Run = log.Id, Sandbox = journal.Sandbox });
        for (var i = 2; i < outputs + 2; i++)
        {
            log.Append(new RunOutput { Sequence = i, Time = DateTimeOffset.UnixEpoch, Stream = OutputStream.Stdout, Text = new string('x', 500) });
        }
    }

    private void End(Journals journals, string sandbox, string? owner, int outputs)
    {
        var journal = Begin(journals, sandbox, owner);
        Write(journal, outputs);
        journal.End(JournalFileTests.Info with { Id = journal.Sandbox, State = SandboxState.Ended });
        journals.Retire(journal);
    }
}
