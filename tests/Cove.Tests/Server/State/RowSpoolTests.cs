using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Server.State;

/// <summary>Rows on their way into the database, where the disk fails them. What they are for is in StateSuite.</summary>
public sealed class RowSpoolTests : IDisposable
{
    private static readonly AuditRow Row = new() { At = DateTimeOffset.UnixEpoch, Operation = "run", Status = 200 };

    private readonly TemporaryDirectory _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void A_file_that_can_not_be_emptied_fails_nobody()
    {
        using var spool = On("/dev/null");
        for (var i = 0; i < 3; i++)
        {
            var settled = spool.Take(Row);
            Assert.NotNull(settled);
            settled(true);
        }
    }

    [Fact]
    public void A_disk_that_takes_nothing_is_said_to_have_taken_nothing()
    {
        using var spool = On("/dev/full");
        Assert.Null(spool.Take(Row));
    }

    private RowSpool<AuditRow> On(string device)
    {
        foreach (var name in new[] { "audit.0.jsonl", "audit.1.jsonl" })
        {
            File.CreateSymbolicLink(Path.Combine(_place.Path, name), device);
        }

        return new RowSpool<AuditRow>(_place.Path, "audit", SpoolJson.Default.AuditRow, NullLogger.Instance);
    }
}
