using Cove.Tests.Support;
using System.Runtime.InteropServices;
using Cove.Engine.Doctor;
using Cove.Engine.Isolation.Namespaces;
using Xunit;

namespace Cove.Tests.Doctor;

/// <summary>The probes on made-up hosts: a directory with the files such a host would show.</summary>
public sealed class ProbeTests : IDisposable
{
    private readonly string _root = TemporaryPlace.Make().FullName;

    [Theory]
    [InlineData("5.15.0-100-generic", true)]
    [InlineData("6.1.0-25-amd64", false)]
    [InlineData("6.18.44", false)]
    [InlineData("odd", false)]
    public void A_kernel_below_the_minimum_is_said_with_the_fix(string release, bool old)
    {
        Write("proc/sys/kernel/osrelease", release + "\n");
        var version = KernelProbe.Look(On(isRoot: true), Architecture.X64).Single(f => f.Name == "version");
        Assert.Equal(old ? FindingState.Missing : FindingState.Ok, version.State);
        Assert.Equal(old, version.Fix is not null);
    }

    [Fact]
    public void Another_machine_is_said_to_be_unsupported() =>
        Assert.Contains(KernelProbe.Look(On(isRoot: true), Architecture.Arm64), f => f is { Name: "machine", State: FindingState.Missing });

    [Fact]
    public void What_forbids_user_namespaces_is_named_with_its_sysctl()
    {
        Write("proc/sys/user/max_user_namespaces", "0\n");
        Write("proc/sys/kernel/unprivileged_userns_clone", "0\n");
        Write("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
        var findings = UserNamespaceProbe.Look(On(isRoot: false), Tried("unshare: Operation not permitted")).ToList();
        Assert.All(findings, f => Assert.Equal(FindingState.Missing, f.State));
        Assert.Equal(
            ["sudo sysctl -w user.max_user_namespaces=63000", "sudo sysctl -w kernel.unprivileged_userns_clone=1", "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"],
            findings.Select(f => f.Fix).OfType<string>());
    }

    [Fact]
    public void Restrictions_of_ordinary_users_do_not_concern_root()
    {
        Write("proc/sys/kernel/unprivileged_userns_clone", "0\n");
        Write("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
        Assert.All(UserNamespaceProbe.Look(On(isRoot: true), Tried(null)), f => Assert.Equal(FindingState.Ok, f.State));
    }

    [Fact]
    public void Swap_that_no_limit_counts_is_said()
    {
        Write("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n");
        Assert.Contains(ProtectionProbe.Look(On(isRoot: true), Tried(null)), f => f is { Name: "swap", State: FindingState.Optional });
    }

    [Fact]
    public void A_missing_library_comes_with_its_package()
    {
        var finding = InterpreterProbe.Look(On(isRoot: false), Tried(null)).Single(f => f.Name == "PIL");
        Assert.Equal("sudo apt-get install python3-pil", finding.Fix);
    }

    [Fact]
    public void A_group_this_user_may_not_use_is_fixed_by_the_doctor()
    {
        var finding = ControlGroupProbe.Look(On(isRoot: false), Tried(null)).Single(f => f.Name == "memory");
        Assert.Equal((FindingState.Missing, "sudo ./cove doctor --fix"), (finding.State, finding.Fix));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private Host On(bool isRoot) => new(new DoctorOptions
    {
        Backend = new NamespacesOptions { GuestDirectory = "/nowhere", StateDirectory = "/nowhere" }, IsRoot = isRoot, UserName = "alice", Root = _root,
    });

    private static Trials Tried(string? userNamespaceError) => new()
    {
        Python = "3.11.2", UserNamespaceError = userNamespaceError, LandlockAbi = 4, Libraries = new Dictionary<string, string?> { ["numpy"] = "1.24.2" },
        Cgroup = new GroupTrials
        {
            Version = 1, Mounts = new Dictionary<string, string> { ["memory"] = "/m" }, Places = new Dictionary<string, GroupPlace> { ["memory"] = new("/m", Usable: false) },
        },
    };

    private void Write(string path, string text)
    {
        var file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
