using System.Runtime.InteropServices;
using System.Text.Json;
using Cove.Engine.Doctor;
using Cove.Engine.Doctor.Fixing;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Doctor;

/// <summary><c>cove doctor --fix</c> for real, for a user made for it: afterwards that user's sandboxes have every protection.</summary>
public sealed class PreparedUserTests : IAsyncLifetime
{
    private readonly string _name = $"covetest{Environment.ProcessId}";
    private PreparedUser? _user;

    [Fact]
    public async Task A_prepared_user_runs_sandboxes_with_limits()
    {
        Assert.SkipUnless(_user is not null, "needs root, useradd and setpriv, and a build that other users can read");
        var said = new List<string>();
        var options = new DoctorOptions { Backend = LiveEngine.Options().ForBackend(), IsRoot = true, UserName = "root" };
        Assert.True(await Preparation.RunAsync(options, _user!, null, said.Add, TestContext.Current.CancellationToken), string.Join('\n', said));

        var examined = await AsUserAsync("doctor", "--json");
        Assert.True(examined.ExitCode == 0, examined.ToString());
        var report = JsonDocument.Parse(examined.Output).RootElement;
        Assert.True(report.GetProperty("ready").GetBoolean(), report.ToString());
        Assert.Equal("delegated", report.GetProperty("isolation").GetProperty("privilege").GetString());

        var groups = await AsUserAsync("run", "--template", "base", "-c", "print(open('/proc/self/cgroup').read())");
        Assert.True(groups.ExitCode == 0, groups.ToString());
        Assert.Contains("memory:/", groups.Output, StringComparison.Ordinal);
        // 100 MiB of anonymous shared memory: past RLIMIT_DATA, which does not count it, up to the control group's wall.
        var hog = await AsUserAsync("run", "--template", "base", "--memory", "64MB", "-c", "import mmap; m = mmap.mmap(-1, 100 << 20); m.write(b'x' * (100 << 20))");
        Assert.True(hog.ExitCode == 137, hog.ToString());
    }

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess || !IsReadableByAll(new DirectoryInfo(AppContext.BaseDirectory)) || !File.Exists("/usr/sbin/useradd") || !File.Exists("/usr/bin/setpriv"))
        {
            return;
        }

        await Host.RunAsync("useradd", ["--create-home", _name], TestContext.Current.CancellationToken);
        _user = global::Cove.Cli.HostUsers.Find(_name);
    }

    public async ValueTask DisposeAsync()
    {
        if (_user is null)
        {
            return;
        }

        await AsUserAsync("engine", "stop");
        foreach (var group in Directory.EnumerateDirectories("/sys/fs/cgroup").Select(d => Path.Combine(d, PreparedUser.GroupOf(_user.Id))).Where(Directory.Exists))
        {
            await Eventually.Holds(() => TryRemove(group), "what was in the user's control group is gone");
        }

        await Eventually.Holds(async () =>
        {
            await Host.RunAsync("userdel", ["--remove", _name], CancellationToken.None); // refuses while a process of the user's lives
            return !(await File.ReadAllLinesAsync("/etc/passwd", CancellationToken.None)).Any(line => line.StartsWith(_name + ":", StringComparison.Ordinal));
        }, "the user is gone");
        var runtime = $"/tmp/cove-{_user.Id}";
        if (Directory.Exists(runtime))
        {
            Directory.Delete(runtime, recursive: true);
        }
    }

    private static bool IsReadableByAll(DirectoryInfo? directory) =>
        directory is null || (directory.UnixFileMode.HasFlag(UnixFileMode.OtherExecute) && IsReadableByAll(directory.Parent));

    /// <summary>The stopped engine's processes may still be ending.</summary>
    private static bool TryRemove(string group)
    {
        try
        {
            Remove(group);
            return true;
        }
        catch (IOException)
        {
            return !Directory.Exists(group);
        }
    }

    /// <summary>A control group is removed as a directory; the files in it are the kernel's.</summary>
    private static void Remove(string group)
    {
        foreach (var inner in Directory.EnumerateDirectories(group))
        {
            Remove(inner);
        }

        Directory.Delete(group);
    }

    private async Task<ProgramOutput> AsUserAsync(params string[] arguments) => (await Host.RunAsync(
        "/usr/bin/setpriv",
        [
            "--reuid", _name, "--regid", _name, "--init-groups", "/usr/bin/env", "-i", $"HOME=/home/{_name}", "PATH=/usr/bin:/bin", $"DOTNET_ROOT={Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."))}",
            Path.Combine(AppContext.BaseDirectory, "cove"), .. arguments,
        ],
        TestContext.Current.CancellationToken))!;
}
