using System.Globalization;
using Cove.Tests.Support;

namespace Cove.Tests.Escapes;

/// <summary>What the host sees of a sandbox's processes.</summary>
internal sealed class HostProcess(int pid, IReadOnlyDictionary<string, string> status)
{
    public int Pid => pid;

    public string Name => this["Name"];

    public string this[string field] => status.GetValueOrDefault(field, "");
}

internal static class HostProcesses
{
    /// <summary>The user id, on the host, of a sandbox's processes: the owner that the kernel shows for its files.</summary>
    public static async Task<uint> UserOfAsync(TestSandbox sandbox)
    {
        var run = await sandbox.ShellAsync("grep -o ' /workspace .*,uid=[0-9]*' /proc/self/mountinfo | grep -o 'uid=[0-9]*' | cut -d= -f2");
        return uint.Parse(run.Stdout, CultureInfo.InvariantCulture);
    }

    public static IReadOnlyList<HostProcess> Of(uint user) =>
        [.. All().Where(p => p["Uid"].Split('\t') is [var real, ..] && real == user.ToString(CultureInfo.InvariantCulture))];

    public static IEnumerable<HostProcess> All()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                continue;
            }

            Dictionary<string, string> status;
            try
            {
                status = File.ReadLines(directory + "/status").Select(l => l.Split(':', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1].Trim());
            }
            catch (IOException)
            {
                continue; // it ended meanwhile
            }

            yield return new HostProcess(pid, status);
        }
    }
}
