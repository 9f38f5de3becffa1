using Cove.Engine;
using Cove.Engine.Journal;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Journal;

/// <summary>Journals that are made before their sandbox.</summary>
public sealed class JournalSparesTests : IDisposable
{
    private const int Most = 16;

    private readonly TemporaryDirectory _directory = new();

    private string Live => Path.Combine(_directory.Path, "journal", "live");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void More_sandboxes_than_there_are_spares_have_each_a_journal_of_its_own()
    {
        using var journals = Open();
        journals.Recover();
        Assert.Equal(Most, Directory.GetDirectories(Live).Length);
        var made = Enumerable.Range(0, Most + 2).Select(_ => Begin(journals)).ToList();
        Assert.Equal(made.Select(journal => journal.Sandbox.Value).Order(), JournalPaths.In(Live).Select(id => id.Value).Order());
        Assert.All(made, journal => Assert.Equal(["created"], journals.Stored(journal.Sandbox)!.ReadEventsAsync(0, CancellationToken.None).ToBlockingEnumerable().Select(e => e.Type)));

        End(journals, made[0]);
        Assert.Equal(made.Count - 1 + Most, Directory.GetDirectories(Live).Length);
        Assert.Equal(made.Count + 1, made.Select(journal => journal.Sandbox).Append(Begin(journals).Sandbox).Distinct().Count());
    }

    [Fact]
    public void What_no_sandbox_got_is_gone_with_its_engine()
    {
        SandboxId taken;
        using (var journals = Open())
        {
            journals.Recover();
            taken = Begin(journals).Sandbox;
        }

        Assert.Equal([taken], JournalPaths.In(Live));
    }

    [Fact]
    public void Of_a_killed_engine_the_next_one_removes_what_is_empty_and_loses_nothing_that_was_written()
    {
        SandboxId lost;
        using (var journals = Open())
        {
            lost = Begin(journals).Sandbox;
        }

        var paths = new JournalPaths(Path.GetDirectoryName(Live)!);
        var (empty, torn, strange) = (new SandboxId("sempty"), new SandboxId("storn"), new SandboxId("strange"));
        Directory.CreateDirectory(Path.Combine(paths.Live(strange), "sub"));
        JournalFile.Create(paths.Live(empty), 1 << 20).Dispose();
        JournalFile.Create(paths.Live(torn), 1 << 20).Dispose();
        File.WriteAllText(JournalPaths.Segment(paths.Live(torn), 1), "{\"sequence\":0,\"inf");

        using var next = Open();
        Assert.Equal(lost, Assert.Single(next.Recover()).Sandbox.Id);
        Assert.Null(paths.Find(empty));
        Assert.Equal(new[] { lost, torn, strange }.Select(id => id.Value).Order(), JournalPaths.In(paths.EndedRoot).Select(id => id.Value).Order());
    }

    private Journals Open() => new(
        new EngineOptions { TemplatesDirectory = "/", JournalDirectory = Path.Combine(_directory.Path, "journal") }, TimeProvider.System, NullLogger.Instance);

    private static SandboxJournal Begin(Journals journals)
    {
        var journal = journals.Create("alpha");
        journal.Begin(JournalFileTests.Info with { Id = journal.Sandbox });
        return journal;
    }

    private static void End(Journals journals, SandboxJournal journal)
    {
        var info = JournalFileTests.Info with { Id = journal.Sandbox, State = SandboxState.Ended, EndReason = SandboxEndReason.Deleted };
        journal.WriteEnd(info);
        journal.End(info);
        journals.Retire(journal);
        journals.Prepare();
    }
}
