using Cove.Wire;
using Microsoft.Extensions.Logging;

namespace Cove.Engine.Journal;

/// <summary>
/// Accounts for what a killed engine left: every run without an end gets one, every sandbox too, and both are written into the journal, so
/// that whoever asks from now on, however often, gets the same answer.
/// </summary>
internal sealed class JournalRecovery(JournalPaths paths, TimeProvider time, ILogger logger)
{
    public IReadOnlyList<(SandboxInfo Sandbox, IReadOnlyList<RunInfo> Runs)> Recover()
    {
        var lost = new List<(SandboxInfo, IReadOnlyList<RunInfo>)>();
        foreach (var sandbox in JournalPaths.In(paths.LiveRoot).ToArray())
        {
            try
            {
                if (Recover(sandbox) is { } found)
                {
                    lost.Add(found);
                }
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                logger.JournalFailed(failure, sandbox);
            }
        }

        return lost;
    }

    /// <summary>Null for one that had ended, and was only not yet moved, and for one without a line: mostly one that no sandbox got.</summary>
    private (SandboxInfo Sandbox, IReadOnlyList<RunInfo> Runs)? Recover(SandboxId sandbox)
    {
        var stored = new StoredJournal(paths, sandbox, time);
        var summary = stored.Summarize();
        if (summary.Info is null && IsEmpty(paths.Live(sandbox)))
        {
            Directory.Delete(paths.Live(sandbox), recursive: true);
            return null;
        }

        (SandboxInfo, IReadOnlyList<RunInfo>)? lost = null;
        if (summary.Info is { } info && !summary.HasEnded)
        {
            info = info with { State = SandboxState.Ended, EndReason = SandboxEndReason.EngineLost };
            lost = (info, End(sandbox, stored, summary, info));
        }

        Directory.Move(paths.Live(sandbox), paths.Ended(sandbox));
        return lost;
    }

    private static bool IsEmpty(string directory) => new DirectoryInfo(directory).EnumerateFileSystemInfos().All(static entry => entry is FileInfo { Length: 0 });

    /// <summary>Into a segment of its own: the one before it may end in the middle of a line.</summary>
    private List<RunInfo> End(SandboxId sandbox, StoredJournal stored, JournalSummary summary, SandboxInfo info)
    {
        using var lines = WireBuffer.Take();
        var ended = new List<RunInfo>();
        var sequence = summary.Sequence;
        JournalLine.Write(lines, sequence, null, info, JournalFile.Owner(paths.Live(sandbox)));
        foreach (var run in summary.Runs.Values.Where(r => r.Result is null))
        {
            var end = stored.Lost(run.LastSequence + 1, summary.LastTime, summary.Written.GetValueOrDefault(run.Id), run, info.Isolation);
            JournalLine.Write(lines, ++sequence, run.Id, end);
            ended.Add(RunLog.Fold(run, sandbox, run.Id, end));
        }

        var last = new SandboxEvent { Sequence = ++sequence, Time = time.GetUtcNow(), Type = "ended", EndReason = info.EndReason };
        JournalLine.Write(lines, sequence, null, last);
        using var file = JournalFile.Continue(paths.Live(sandbox), long.MaxValue);
        file.Append(lines.Bytes.WrittenSpan);
        logger.SandboxEngineLost(sandbox, ended.Count);
        return ended;
    }
}
