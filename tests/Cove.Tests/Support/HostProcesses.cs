using System.Globalization;
using System.Runtime.InteropServices;
using Xunit;

namespace Cove.Tests.Support;

/// <summary>A process as the host sees it.</summary>
public sealed record HostProcess(int Pid, int Parent, string CommandLine);

/// <summary>The host's processes, from /proc.</summary>
public static partial class HostProcesses
{
    private const int NotPermitted = 1;

    /// <summary>All that live; a process that ended and was not yet reaped does not.</summary>
    public static IReadOnlyList<HostProcess> All() =>
        [.. Directory.EnumerateDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var pid) ? Read(pid) : null).OfType<HostProcess>()];

    public static bool IsAlive(int pid) => Read(pid) is not null;

    /// <summary>Everything below a process, itself not included.</summary>
    public static IReadOnlyList<HostProcess> Below(int pid)
    {
        var children = All().ToLookup(p => p.Parent);
        var found = new List<HostProcess>();
        var next = new Queue<int>([pid]);
        while (next.TryDequeue(out var parent))
        {
            foreach (var child in children[parent])
            {
                found.Add(child);
                next.Enqueue(child.Pid);
            }
        }

        return found;
    }

    /// <summary>kill -9 of one process; one that is gone already is left at that.</summary>
    public static void Kill(int pid)
    {
        if (Kill(pid, 9) != 0)
        {
            Assert.SkipWhen(
                Marshal.GetLastPInvokeError() == NotPermitted,
                $"As this user ({LiveEngine.Privilege}) the process belongs to another host id and cannot be killed from outside.");
        }
    }

    private static HostProcess? Read(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X"
                ? null
                : new HostProcess(pid, int.Parse(fields[1], CultureInfo.InvariantCulture), File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' '));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int pid, int signal);
}
