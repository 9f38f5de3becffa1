using Cove.Engine.Sandboxes;
using Xunit;

namespace Cove.Tests.Sandboxes;

public sealed class SandboxLifecycleTests
{
    private static readonly Dictionary<(SandboxState, SandboxTrigger), SandboxState> Legal = new()
    {
        [(SandboxState.Creating, SandboxTrigger.Made)] = SandboxState.Ready,
        [(SandboxState.Creating, SandboxTrigger.EndAsked)] = SandboxState.Ending,
        [(SandboxState.Creating, SandboxTrigger.CellDied)] = SandboxState.Ending,
        [(SandboxState.Ready, SandboxTrigger.EndAsked)] = SandboxState.Ending,
        [(SandboxState.Ready, SandboxTrigger.CellDied)] = SandboxState.Ending,
        [(SandboxState.Ending, SandboxTrigger.Made)] = SandboxState.Ending,
        [(SandboxState.Ended, SandboxTrigger.Made)] = SandboxState.Ended,
        [(SandboxState.Ending, SandboxTrigger.EndAsked)] = SandboxState.Ending,
        [(SandboxState.Ending, SandboxTrigger.CellDied)] = SandboxState.Ending,
        [(SandboxState.Ending, SandboxTrigger.TornDown)] = SandboxState.Ended,
        [(SandboxState.Ended, SandboxTrigger.EndAsked)] = SandboxState.Ended,
        [(SandboxState.Ended, SandboxTrigger.CellDied)] = SandboxState.Ended,
    };

    [Fact]
    public void Every_pair_of_state_and_trigger_is_legal_with_one_answer_or_refused()
    {
        foreach (var state in Enum.GetValues<SandboxState>())
        {
            foreach (var trigger in Enum.GetValues<SandboxTrigger>())
            {
                if (Legal.TryGetValue((state, trigger), out var next))
                {
                    Assert.Equal(next, SandboxLifecycle.Next(state, trigger));
                }
                else
                {
                    Assert.Throws<InvalidOperationException>(() => SandboxLifecycle.Next(state, trigger));
                }
            }
        }
    }

    [Fact]
    public void The_last_thousand_ended_ones_are_remembered()
    {
        var ended = new EndedSandboxes();
        for (var i = 0; i <= EndedSandboxes.Capacity; i++)
        {
            ended.Add(Info($"s{i}"));
            ended.Add(Info($"s{i}"));
        }

        Assert.Null(ended.Find(new SandboxId("s0")));
        Assert.NotNull(ended.Find(new SandboxId("s1")));
        Assert.NotNull(ended.Find(new SandboxId($"s{EndedSandboxes.Capacity}")));
    }

    private static SandboxInfo Info(string id) => new()
    {
        Id = new SandboxId(id),
        Template = "t",
        State = SandboxState.Ended,
        Limits = SandboxLimits.Default,
        Isolation = new IsolationTier { Backend = "fake", Privilege = "bare", Degraded = [] },
        CreatedAt = default,
        ExpiresAt = default,
        IdleTimeout = default,
    };
}
