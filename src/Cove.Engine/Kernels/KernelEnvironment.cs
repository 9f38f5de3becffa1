namespace Cove.Engine.Kernels;

/// <summary>The environment of every process in a sandbox, built from nothing: no variable of the host is ever copied.</summary>
internal static class KernelEnvironment
{
    public const string WorkingDirectory = "/workspace";

    private static readonly KeyValuePair<string, string>[] Base =
    [
        new("HOME", "/home/user"),
        new("USER", "user"),
        new("LOGNAME", "user"),
        new("PATH", "/home/user/.local/bin:/usr/local/bin:/usr/bin:/bin"),
        new("LANG", "C.UTF-8"),
        new("SHELL", "/bin/bash"),
    ];

    /// <summary>The base, overridden by the template's, the sandbox's and (of a command) the run's own variables, in that order.</summary>
    public static Dictionary<string, string> Build(
        string directory,
        IReadOnlyDictionary<string, string> template,
        IReadOnlyDictionary<string, string>? sandbox,
        IReadOnlyDictionary<string, string>? command = null)
    {
        var all = new Dictionary<string, string>(Base) { ["PWD"] = directory };
        foreach (var layer in new[] { template, sandbox, command })
        {
            foreach (var (name, value) in layer ?? new Dictionary<string, string>())
            {
                all[name] = value;
            }
        }

        return all;
    }

    /// <summary>
    /// The soft memory wall, at which an allocation fails (MemoryError) and the state is kept: below the hard limit by a
    /// tenth, at least 16 MiB, so that the interpreter can still report and files in memory have some room.
    /// </summary>
    public static long SoftMemoryBytes(long memoryBytes) => memoryBytes - Math.Max(16L << 20, memoryBytes / 10);
}
