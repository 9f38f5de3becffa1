using Cove.Engine.Doctor;
using Cove.Engine.Doctor.Fixing;
using Xunit;

namespace Cove.Tests.Doctor;

public sealed class SubordinateIdsTests
{
    [Fact]
    public void A_user_with_ranges_needs_nothing() =>
        Assert.Empty(SubordinateIds.Arguments("alice:100000:65536\n", "alice:100000:65536\n", "alice"));

    [Fact]
    public void A_missing_range_is_added_where_no_other_lies() =>
        Assert.Equal(
            ["--add-subuids", "1610678272-1610743807", "--add-subgids", "1610678272-1610743807", "alice"],
            SubordinateIds.Arguments("bob:1610612736:65536\nroot:100000:65536\n", "", "alice"));

    [Fact]
    public void Only_the_missing_one_is_added() =>
        Assert.Equal(["--add-subgids", "1610612736-1610678271", "alice"], SubordinateIds.Arguments("alice:100000:65536", "broken line\n", "alice"));

    [Fact]
    public void Another_users_name_that_begins_alike_is_another_user() => Assert.Null(SubordinateRange.Of("alice2:1:2", "alice"));
}
