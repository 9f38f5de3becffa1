using Cove.Tests.Support;
using Cove.Engine.Doctor.Fixing;
using Xunit;

namespace Cove.Tests.Doctor;

/// <summary>
/// Delegation on fake hierarchies. For version 2 this is all the proof there is on a machine whose controllers are all in version 1; version 1
/// is tried for real in <see cref="PreparedUserTests"/>.
/// </summary>
public sealed class GroupDelegationTests : IDisposable
{
    private readonly string _top = TemporaryPlace.Make().FullName;
    private readonly List<string> _said = [];

    [Fact]
    public void Version_2_enables_controllers_hands_over_the_group_and_moves_the_caller()
    {
        File.WriteAllText(Path.Combine(_top, "cgroup.controllers"), "cpuset cpu io memory pids\n");
        File.WriteAllText(Path.Combine(_top, "cgroup.subtree_control"), "pids\n");
        var group = Path.Combine(_top, "cove-user-12345");
        Directory.CreateDirectory(Path.Combine(group, "session"));
        File.WriteAllText(Path.Combine(group, "cgroup.procs"), "");
        File.WriteAllText(Path.Combine(group, "memory.max"), "max\n");
        Delegation().DelegateV2(_top, member: 4711);
        Assert.Equal("+cpu", File.ReadAllText(Path.Combine(_top, "cgroup.subtree_control"))); // the last one written; the kernel adds them up
        Assert.Equal("4711", File.ReadAllText(Path.Combine(group, "session", "cgroup.procs")));
        Assert.Contains(_said, s => s.Contains("enabled the controller memory", StringComparison.Ordinal));
        Assert.DoesNotContain(_said, s => s.Contains("controller pids", StringComparison.Ordinal));
        AssertOwner(12345, group, Path.Combine(group, "cgroup.procs"), Path.Combine(group, "session"));
        AssertOwner(0, Path.Combine(group, "memory.max")); // what an administrator limits stays the administrator's
    }

    [Fact]
    public void Version_1_makes_one_group_in_each_tree_and_doing_it_again_changes_nothing()
    {
        var mounts = new Dictionary<string, string>();
        foreach (var controller in (string[])["memory", "cpu", "cpuacct", "pids", "blkio"])
        {
            // cpu and cpuacct are often one tree.
            mounts[controller] = Directory.CreateDirectory(Path.Combine(_top, controller.StartsWith("cpu", StringComparison.Ordinal) ? "cpu,cpuacct" : controller)).FullName;
        }

        Delegation().DelegateV1(mounts);
        Assert.Equal(3, _said.Count(s => s.StartsWith("made ", StringComparison.Ordinal)));
        Assert.False(Directory.Exists(Path.Combine(mounts["blkio"], "cove-user-12345")));
        _said.Clear();
        Delegation().DelegateV1(mounts);
        Assert.All(_said, s => Assert.Contains("is there", s, StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(_top, recursive: true);

    private GroupDelegation Delegation()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root to give files to another user");
        return new(new PreparedUser(12345, 12345, "alice"), _said.Add);
    }

    private static void AssertOwner(uint user, params string[] paths) =>
        Assert.All(paths, path => Assert.Equal(user, global::Cove.Cli.Libc.Stat(path)!.Value.User));
}
