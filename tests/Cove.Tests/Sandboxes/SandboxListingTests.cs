using Cove.Engine.Sandboxes;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Sandboxes;

public sealed class SandboxListingTests
{
    private static SandboxInfo Info(int number, SandboxState state = SandboxState.Ready, string template = "base") => new()
    {
        Id = new SandboxId($"s{number:D3}"),
        Template = template,
        State = state,
        Limits = new SandboxLimits(),
        Isolation = FakeCove.Tier,
        Metadata = new Dictionary<string, string> { ["parity"] = number % 2 == 0 ? "even" : "odd" },
        CreatedAt = DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(number / 3), // three at once: the id decides
        ExpiresAt = DateTimeOffset.UnixEpoch,
        IdleTimeout = TimeSpan.FromMinutes(1),
    };

    private static SandboxPage Page(IEnumerable<SandboxInfo> all, SandboxFilter filter) => SandboxListing.Page(all, filter, SandboxListing.Check(filter));

    [Fact]
    public void Pages_join_to_the_whole_while_sandboxes_come_and_go()
    {
        var all = Enumerable.Range(0, 50).Select(i => Info(i)).Reverse().ToList();
        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = Page(all, new SandboxFilter { Limit = 7, Cursor = cursor });
            seen.AddRange(page.Sandboxes.Select(s => s.Id.Value));
            all.RemoveAll(i => page.Sandboxes.Contains(i)); // also the one the cursor names
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"s{i:D3}"), seen);
    }

    [Fact]
    public void Everything_that_is_asked_for_must_hold()
    {
        SandboxInfo[] all = [Info(0), Info(1), Info(2, SandboxState.Ended), Info(3, template: "other"), Info(4, SandboxState.Ending)];
        Assert.Equal(["s000", "s001", "s003", "s004"], Ids(new SandboxFilter()));
        Assert.Equal(["s002"], Ids(new SandboxFilter { States = [SandboxState.Ended] }));
        Assert.Equal(["s002", "s004"], Ids(new SandboxFilter { States = [SandboxState.Ended, SandboxState.Ending] }));
        Assert.Equal(["s003"], Ids(new SandboxFilter { Template = "other" }));
        Assert.Equal(["s001", "s003"], Ids(new SandboxFilter { Metadata = new Dictionary<string, string> { ["parity"] = "odd" } }));
        Assert.Empty(Ids(new SandboxFilter { Metadata = new Dictionary<string, string> { ["parity"] = "odd", ["none"] = "" } }));

        IEnumerable<string> Ids(SandboxFilter filter) => Page(all, filter).Sandboxes.Select(s => s.Id.Value);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(1001, null)]
    [InlineData(1, "")]
    [InlineData(1, "AAAA")]
    [InlineData(1, "not base64!")]
    [InlineData(1, "AAAAAAAAAABSUw==")]
    [InlineData(1, "AAAAAAAAAAAvLi4vYQ")]
    public void What_makes_no_sense_is_refused(int limit, string? cursor) =>
        Assert.Equal("invalid_request", Assert.Throws<CoveException>(() => SandboxListing.Check(new SandboxFilter { Limit = limit, Cursor = cursor })).Error.Code);

    [Fact]
    public void A_cursor_of_any_length_is_refused_and_not_decoded() =>
        Assert.Throws<CoveException>(() => SandboxListing.Check(new SandboxFilter { Cursor = new string('A', 1 << 20) }));
}
