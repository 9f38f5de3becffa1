using System.Diagnostics;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Leaks;

/// <summary>The test's side of <see cref="EngineHost"/>: a child process with an engine, and what it takes from the host.</summary>
public sealed class HostedEngine : IAsyncDisposable
{
    private readonly TemporaryDirectory _state = new();
    private readonly TemporaryDirectory _temporary = new();
    private readonly Process _process;
    private readonly Task<string> _errors;
    private int _ownFiles;

    private HostedEngine(string? journal, string? group)
    {
        var assembly = typeof(HostedEngine).Assembly.Location;
        var own = Environment.ProcessPath!;
        string[] command = Path.GetFileNameWithoutExtension(own) == "dotnet" ? [own, assembly, EngineHost.Word, _state.Path] : [own, EngineHost.Word, _state.Path];
        var start = group is null ? new ProcessStartInfo(command[0], command[1..]) : new ProcessStartInfo("/bin/sh", ["-c", "echo 0 > \"$0/cgroup.procs\" && exec \"$@\"", group, .. command]);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["TMPDIR"] = _temporary.Path;
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // its sockets in TMPDIR would look like a leak
        start.Environment["COVE_REPOSITORY"] = LiveEngine.Repository;
        start.Environment["COVE_TEST_PRIVILEGE"] = LiveEngine.Privilege;
        start.Environment[EngineHost.Journal] = journal;
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public LauncherTree Tree => LauncherTree.Of(_state.Path);

    /// <summary>Starts one; with <paramref name="group"/> as a member of that control group.</summary>
    public static async Task<HostedEngine> StartAsync(string? journal = null, string? group = null)
    {
        var hosted = new HostedEngine(journal, group);
        await hosted.AnswerAsync();
        hosted._ownFiles = Files(hosted._temporary.Path);
        return hosted;
    }

    public async Task DoAsync(string word)
    {
        await _process.StandardInput.WriteLineAsync(word);
        await AnswerAsync();
    }

    public void Kill() => _process.Kill(entireProcessTree: false);

    public Task ExitAsync() => Hang.WatchAsync(_process.WaitForExitAsync());

    public bool HasLauncher => LauncherTree.Find(_state.Path) is not null;

    /// <summary>What the engine takes from the host at this moment.</summary>
    public Footprint Measure()
    {
        var tree = Tree;
        return new Footprint(
            tree.All.Count,
            File.ReadAllLines($"/proc/{tree.Inner}/mountinfo").Length,
            LauncherTree.Groups(tree.EngineId).Count,
            Directory.EnumerateFileSystemEntries($"/proc/{_process.Id}/fd").Count(),
            Descriptors(tree.Inner),
            Files(_state.Path) + Files(_temporary.Path));
    }

    /// <summary>Temporary files that were not there when the engine had started.</summary>
    public int TemporaryFiles => Files(_temporary.Path) - _ownFiles;

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            await Hang.WatchAsync(_process.WaitForExitAsync());
        }

        _process.Dispose();
        _temporary.Dispose();
        _state.Dispose();
    }

    /// <summary>As an ordinary user the launcher, root of a user namespace, cannot be looked into.</summary>
    private static int Descriptors(int pid)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Count();
        }
        catch (UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static int Files(string directory) => Directory.EnumerateFileSystemEntries(directory, "*", SearchOption.AllDirectories).Count();

    private async Task AnswerAsync()
    {
        if (await Hang.WatchAsync(_process.StandardOutput.ReadLineAsync()) != "done")
        {
            Assert.Fail("The engine's process failed: " + await Hang.WatchAsync(_errors));
        }
    }
}

/// <summary>What an engine takes from the host.</summary>
public sealed record Footprint(int Processes, int Mounts, int Groups, int EngineDescriptors, int LauncherDescriptors, int Files)
{
    /// <summary>Whether nothing of it is more than before.</summary>
    public bool FitsIn(Footprint before) =>
        Processes <= before.Processes && Mounts <= before.Mounts && Groups <= before.Groups && EngineDescriptors <= before.EngineDescriptors
        && LauncherDescriptors <= before.LauncherDescriptors && Files <= before.Files;
}
