using Cove.Engine;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>Where a promised protection is not to be had the engine does not start, unless it was allowed by name; and then every result says so.</summary>
[Collection(Alone.Name)]
public sealed class RefusesToStart
{
    private static readonly Edit _noGroups = new("isolation/hierarchy.py", "    return os.path.isdir(directory) and", "    return False and");
    private static readonly Edit _noLandlock = new("isolation/landlock.py", "        return syscalls.raw(syscalls.LANDLOCK_CREATE_RULESET, 0, 0, 1, what=\"landlock_create_ruleset\")", "        return 0");

    [Fact]
    public async Task Without_control_groups_it_names_what_is_missing_and_the_fix()
    {
        using var guest = WeakenedGuest.With(_noGroups);
        var error = (await Assert.ThrowsAsync<CoveException>(() => guest.StartAsync())).Error;
        Assert.Equal("protection_unavailable", error.Code);
        Assert.Contains("memory", error.Message, StringComparison.Ordinal);
        Assert.Contains("cpu", error.Message, StringComparison.Ordinal);
        Assert.Contains("./cove doctor --fix", error.Remediation, StringComparison.Ordinal);
        Assert.Contains("--allow-degraded memory,cpu", error.Remediation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_allowed_is_not_two_allowed()
    {
        using var guest = WeakenedGuest.With(_noGroups);
        var error = (await Assert.ThrowsAsync<CoveException>(() => guest.StartAsync("memory"))).Error;
        Assert.Equal("protection_unavailable", error.Code);
        Assert.Contains("--allow-degraded cpu", error.Remediation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_Landlock_it_refuses_as_well()
    {
        using var guest = WeakenedGuest.With(_noLandlock);
        var allowed = LiveEngine.Privilege == "bare" ? new[] { "memory", "cpu" } : [];
        var error = (await Assert.ThrowsAsync<CoveException>(() => guest.StartAsync(allowed))).Error;
        Assert.Equal("protection_unavailable", error.Code);
        Assert.Contains("landlock", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_allowed_to_be_missing_is_in_every_result()
    {
        using var guest = WeakenedGuest.With(_noGroups, _noLandlock);
        await using var engine = await guest.StartAsync("memory", "cpu", "landlock");
        await using var sandbox = await TestSandbox.CreateAsync(engine);
        // A user without subordinate ids goes without those too; allowing memory and cpu accepts that, and it is said.
        string[] expected = LiveEngine.Privilege == "bare" ? ["memory", "cpu", "landlock", "ids"] : ["memory", "cpu", "landlock"];
        Assert.Equal(expected, sandbox.Info.Isolation.Degraded);
        Assert.Equal(expected, (await sandbox.PythonAsync("1")).Result.Isolation.Degraded);
        Assert.Equal(expected, (await sandbox.ShellAsync("exit 1")).Result.Isolation.Degraded);
        Assert.Equal(expected, (await engine.GetSandboxAsync(sandbox.Id)).Isolation.Degraded);
    }

    [Fact]
    public async Task An_ordinary_user_without_preparation_is_refused()
    {
        if (LiveEngine.Privilege != "bare")
        {
            Assert.Skip("this test process is no bare user; the same refusal is tested with control groups taken away");
        }

        var options = LiveEngine.Options(poolSize: 0);
        var error = (await Assert.ThrowsAsync<CoveException>(() => LocalEngine.StartAsync(
            options with { Engine = options.Engine with { AllowDegraded = new HashSet<string>() } }, TimeProvider.System, NullLogger.Instance))).Error;
        Assert.Equal("protection_unavailable", error.Code);
        Assert.Contains("./cove doctor --fix", error.Remediation, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("os.kill(os.getpid(), 9)", true, "without a word")]
    [InlineData("raise OSError('no such thing here')", false, "no such thing here")]
    public async Task A_launcher_that_was_killed_says_nothing_of_the_host_and_one_that_says_why_will_say_so_again(string instead, bool retryable, string said)
    {
        using var guest = WeakenedGuest.With(new Edit("launcher/main.py", "def _serve(options, link):", $"def _serve(options, link):\n    {instead}"));
        var error = (await Assert.ThrowsAsync<CoveException>(() => guest.StartAsync("memory", "cpu"))).Error;
        Assert.Equal(("launcher_failed", retryable), (error.Code, error.Retryable));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.Contains("cove doctor", error.Remediation, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("isolation/seccomp.py", "    def apply(self):", "    def apply(self):\n        raise OSError('no filter')")]
    [InlineData("isolation/landlock.py", "def restrict(version):", "def restrict(version):\n    raise OSError('no landlock')")]
    [InlineData("isolation/capabilities.py", "def drop_all():", "def drop_all():\n    raise OSError('no capabilities')")]
    [InlineData("isolation/capabilities.py", "def no_new_privileges():\n    syscalls", "def no_new_privileges():\n    raise OSError('no bit')\n    syscalls")]
    [InlineData("isolation/rlimits.py", "def apply(limits, soft_memory):", "def apply(limits, soft_memory):\n    raise OSError('no limits')")]
    [InlineData("isolation/mounts.py", "def _mask_proc(proc_root, masks):", "def _mask_proc(proc_root, masks):\n    raise OSError('no mask')")]
    public async Task A_protection_that_fails_at_its_moment_lets_no_guest_code_run(string file, string text, string instead)
    {
        using var guest = WeakenedGuest.With(new Edit(file, text, instead));
        await using var engine = await guest.StartAsync(LiveEngine.Privilege == "bare" ? ["memory", "cpu"] : []);
        Finished? run = null;
        Finished? command = null;
        var error = await Record.ExceptionAsync(async () =>
        {
            await using var sandbox = await TestSandbox.CreateAsync(engine, new SandboxRequest { Template = "base", CreateTimeout = TimeSpan.FromSeconds(3) });
            command = await sandbox.ShellAsync("echo ran");
            run = await sandbox.PythonAsync("print('ran')");
        });
        Assert.True(error is null or CoveException, error?.ToString());
        Assert.DoesNotContain("ran\n", run?.Stdout ?? "", StringComparison.Ordinal);
        Assert.DoesNotContain("ran\n", command?.Stdout ?? "", StringComparison.Ordinal);
        Assert.NotEqual(RunOutcome.Ok, run?.Outcome ?? RunOutcome.Refused);
        Assert.NotEqual(RunOutcome.Ok, command?.Outcome ?? RunOutcome.Refused);
    }
}
