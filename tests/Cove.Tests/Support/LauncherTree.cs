using System.Text.RegularExpressions;
using Xunit;

namespace Cove.Tests.Support;

/// <summary>The processes of one engine's launcher. Engines are told apart by their state directory, which the launcher was given.</summary>
public sealed partial class LauncherTree
{
    private LauncherTree(HostProcess outer, IReadOnlyList<HostProcess> below)
    {
        var children = below.ToLookup(p => p.Parent);
        Outer = outer.Pid;
        EngineId = EngineWord().Match(outer.CommandLine).Groups["id"].Value;
        Assert.NotEmpty(EngineId);
        Inner = children[Outer].Single().Pid;
        Zygotes = [.. children[Inner].Where(p => p.CommandLine.Contains("zygote.main", StringComparison.Ordinal)).Select(p => p.Pid)];
        Stems = [.. children[Inner].Where(p => p.CommandLine.StartsWith("stem", StringComparison.Ordinal)).Select(p => p.Pid)];
        Kernels = [.. Zygotes.SelectMany(z => children[z]).Select(p => p.Pid)];
        All = [Outer, .. below.Select(p => p.Pid)];
    }

    /// <summary>The launcher's id for its groups.</summary>
    public string EngineId { get; }

    /// <summary>The process the engine started; it only waits for the next.</summary>
    public int Outer { get; }

    /// <summary>The launcher: PID 1 of its PID namespace.</summary>
    public int Inner { get; }

    public IReadOnlyList<int> Zygotes { get; }

    public IReadOnlyList<int> Stems { get; }

    /// <summary>Python kernels.</summary>
    public IReadOnlyList<int> Kernels { get; }

    public IReadOnlyList<int> All { get; }

    /// <summary>The tree as it is now; null while there is none.</summary>
    public static LauncherTree? Find(string stateDirectory)
    {
        var outer = HostProcesses.All().Where(p => p.CommandLine.Contains(stateDirectory + "/cache", StringComparison.Ordinal)).ToList();
        var first = outer.FirstOrDefault(p => outer.All(o => o.Pid != p.Parent));
        if (first is null)
        {
            return null;
        }

        var below = HostProcesses.Below(first.Pid);
        return below.Any(p => p.Parent == first.Pid) ? new LauncherTree(first, below) : null;
    }

    public static LauncherTree Of(string stateDirectory)
    {
        var tree = Find(stateDirectory);
        Assert.True(tree is not null, "No launcher of this engine runs.");
        return tree;
    }

    /// <summary>The control groups of an engine, in all hierarchies.</summary>
    public static IReadOnlyList<string> Groups(string engineId)
    {
        var below = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
        return Directory.Exists("/sys/fs/cgroup")
            ? [.. Directory.EnumerateDirectories("/sys/fs/cgroup", "*", below).Where(d => d.Contains("/cove-engine-" + engineId, StringComparison.Ordinal))]
            : [];
    }

    [GeneratedRegex("\"engine\": ?\"(?<id>[a-z0-9]+)\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex EngineWord();
}
