using System.Diagnostics;
using System.Text.RegularExpressions;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Deploy;

/// <summary>What can be checked of deploy/ without a cloud, a registry and a running systemd.</summary>
public sealed partial class DeployTests : IDisposable
{
    private static readonly string _folder = Path.Combine(SourceTree.Root, "deploy");

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Systemd_accepts_the_unit()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "no systemd-analyze on this machine");
        var unit = Path.Combine(_directory.Path, "cove.service");
        var text = await File.ReadAllTextAsync(Path.Combine(_folder, "cove.service"));

        // The program is not installed where the unit expects it; everything else is judged as it stands.
        await File.WriteAllTextAsync(unit, text.Replace("/opt/cove/cove", "/bin/true", StringComparison.Ordinal));
        var (exitCode, said) = await RunAsync("/usr/bin/systemd-analyze", "verify", "--man=no", unit);
        Assert.True(exitCode == 0 && !said.Contains("cove.service", StringComparison.Ordinal), said);

        await File.WriteAllTextAsync(unit, text.Replace("KillMode=mixed", "KillMode=sometimes", StringComparison.Ordinal));
        Assert.Contains("sometimes", (await RunAsync("/usr/bin/systemd-analyze", "verify", "--man=no", unit)).Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cloud_run_script_makes_an_account_a_secret_an_image_and_one_instance()
    {
        var calls = await CloudRunAsync();
        string[] inOrder =
        [
            "services enable run.googleapis.com secretmanager.googleapis.com",
            "iam service-accounts create cove-executor",
            "roles/logging.logWriter",
            "secrets create cove-api-key",
            "roles/secretmanager.secretAccessor",
            "builds submit",
            "run deploy cove",
        ];
        var at = -1;
        foreach (var expected in inOrder)
        {
            var found = calls.FindIndex(at + 1, call => call.Contains(expected, StringComparison.Ordinal));
            Assert.True(found > at, $"'{expected}' is missing, or too early, in:\n{string.Join('\n', calls)}");
            at = found;
        }

        var deploy = calls[at];
        Assert.All(
            (string[])["--execution-environment gen2", "--service-account cove-executor@my-project.iam.gserviceaccount.com", "--set-secrets COVE_API_KEY=cove-api-key:latest", "COVE_ALLOW_DEGRADED=memory,cpu,pids,ids", "--memory 2Gi", "--cpu 2", "--timeout 3600", "--min-instances 0", "--max-instances 1 "],
            option => Assert.Contains(option, deploy + " ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Only_fresh_executions_may_have_many_instances() =>
        Assert.Contains("--max-instances 5 ", (await CloudRunAsync(("ONLY_EXECUTE", "1"))).Single(call => call.Contains("run deploy", StringComparison.Ordinal)) + " ", StringComparison.Ordinal);

    [Fact]
    public async Task Without_a_project_nothing_is_called()
    {
        var (exitCode, said) = await RunAsync("/bin/bash", Path.Combine(_folder, "cloud-run.sh"));
        Assert.NotEqual(0, exitCode);
        Assert.Contains("set PROJECT", said, StringComparison.Ordinal);
    }

    [Fact]
    public void The_image_holds_the_packages_that_the_command_installs_and_runs_as_no_root()
    {
        var command = File.ReadAllText(Path.Combine(SourceTree.Root, "cove"));
        var packages = Packages().Match(command).Groups["list"].Value.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        Assert.True(packages.Length > 5);
        var image = File.ReadAllText(Path.Combine(_folder, "Dockerfile"));
        Assert.All(packages.Where(package => package != "uidmap"), package => Assert.Contains(" " + package, image, StringComparison.Ordinal));
        Assert.Equal("USER cove", File.ReadLines(Path.Combine(_folder, "Dockerfile")).Last(line => line.StartsWith("USER ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Compose_publishes_on_loopback_alone_and_takes_every_capability_away()
    {
        const string Code = """
            import sys, yaml
            service = yaml.safe_load(open(sys.argv[1]))["services"]["cove"]
            assert service["ports"] == ["127.0.0.1:8787:8787"], service["ports"]
            assert service["cap_drop"] == ["ALL"] and "cap_add" not in service and "privileged" not in service
            assert "no-new-privileges" in service["security_opt"]
            assert service["mem_limit"] and service["pids_limit"] and service["cpus"]
            """;
        var (exitCode, said) = await RunAsync("/usr/bin/python3", "-c", Code, Path.Combine(_folder, "compose.yaml"));
        Assert.True(exitCode == 0, said);
    }

    [Fact]
    public async Task The_image_serves_under_the_options_that_compose_gives_it()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("COVE_LONG") == "1", "takes a minute and a half and a Docker daemon of its own; ./test --long");
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/sbin/dockerd"), "needs root and dockerd");
        var (exitCode, said) = await RunAsync(Path.Combine(SourceTree.Root, "eng", "test-image"), TimeSpan.FromMinutes(10));
        Assert.True(exitCode == 0, said);
        Assert.Contains("""{"error":"","output":"42\n","success":true}""", said, StringComparison.Ordinal);
        Assert.Contains("without a key: 401", said, StringComparison.Ordinal);
        Assert.Contains("ended with 0", said, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^packages=\((?<list>[^)]*)\)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Packages();

    /// <summary>Runs the script with a stand-in for gcloud that says what it was asked and knows nothing yet.</summary>
    private async Task<List<string>> CloudRunAsync(params (string Name, string Value)[] variables)
    {
        var log = Path.Combine(_directory.Path, "calls");
        var gcloud = Path.Combine(_directory.Path, "gcloud");
        await File.WriteAllTextAsync(gcloud, $$"""
            #!/bin/bash
            echo "$*" >>{{log}}
            [[ "$*" == *" describe cove --region"* ]] && echo https://cove-example.a.run.app && exit 0
            [[ "$*" == *" describe "* ]] && exit 1
            [[ "$*" != *"--data-file=-"* ]] || grep -qE '^cove_[a-km-np-z2-9]{8}_[a-km-np-z2-9]{32}$'
            """);
        File.SetUnixFileMode(gcloud, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var (exitCode, said) = await RunAsync("/bin/bash", [("PROJECT", "my-project"), ("PATH", _directory.Path + ":/usr/bin:/bin"), .. variables], Path.Combine(_folder, "cloud-run.sh"));
        Assert.True(exitCode == 0, said);
        Assert.Contains("https://cove-example.a.run.app/execute", said, StringComparison.Ordinal);
        return [.. await File.ReadAllLinesAsync(log)];
    }

    private static Task<(int ExitCode, string Said)> RunAsync(string program, params string[] arguments) => RunAsync(program, [], arguments);

    private static Task<(int ExitCode, string Said)> RunAsync(string program, TimeSpan patience) => RunAsync(program, [], [], patience);

    private static Task<(int ExitCode, string Said)> RunAsync(string program, (string Name, string Value)[] variables, params string[] arguments) =>
        RunAsync(program, variables, arguments, TimeSpan.FromMinutes(5));

    private static async Task<(int ExitCode, string Said)> RunAsync(string program, (string Name, string Value)[] variables, string[] arguments, TimeSpan patience)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        start.Environment.Remove("PROJECT");
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(patience, TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }
}
