using System.Runtime.InteropServices;

namespace Cove.Engine.Doctor.Fixing;

/// <summary>
/// Gives an ordinary user a control group in which it may make groups. Only the group's directory and its member lists change hands;
/// the files with the group's own limits stay root's, so the user cannot lift a limit an administrator puts on all of it.
/// </summary>
internal sealed partial class GroupDelegation(PreparedUser user, Action<string> say)
{
    private static readonly string[] _controllers = ["memory", "cpu", "cpuacct", "pids"];

    /// <summary>Version 1: a group in each controller's hierarchy.</summary>
    public void DelegateV1(IReadOnlyDictionary<string, string> mounts)
    {
        foreach (var mount in _controllers.Where(mounts.ContainsKey).Select(c => mounts[c]).Distinct())
        {
            Hand(Path.Combine(mount, PreparedUser.GroupOf(user.Id)), ["cgroup.procs", "tasks"]);
        }
    }

    /// <summary>
    /// Version 2: one group. A process may move others only between groups below one it owns the member list of, so the user's
    /// processes have to begin inside: <paramref name="member"/>, the shell that called, is moved there, and what it starts follows.
    /// </summary>
    public void DelegateV2(string mount, int? member)
    {
        Enable(mount);
        var group = Path.Combine(mount, PreparedUser.GroupOf(user.Id));
        string[] files = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"];
        Hand(group, files);
        // A group whose children have controllers may hold no process itself.
        var session = Path.Combine(group, "session");
        Hand(session, files);
        if (member is { } pid)
        {
            File.WriteAllText(Path.Combine(session, "cgroup.procs"), pid.ToString());
            say($"moved process {pid} (the shell that called) into {session}: engines it starts may use the group; another terminal needs this command once more");
        }
    }

    private void Enable(string mount)
    {
        var offered = File.ReadAllText(Path.Combine(mount, "cgroup.controllers")).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var control = Path.Combine(mount, "cgroup.subtree_control");
        var enabled = File.ReadAllText(control).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        foreach (var controller in _controllers.Intersect(offered).Except(enabled))
        {
            File.WriteAllText(control, "+" + controller);
            say($"enabled the controller {controller} below {mount}");
        }
    }

    private void Hand(string group, IEnumerable<string> files)
    {
        var existed = Directory.Exists(group);
        Directory.CreateDirectory(group);
        foreach (var path in files.Select(f => Path.Combine(group, f)).Where(File.Exists).Prepend(group))
        {
            if (ChangeOwner(path, user.Id, user.GroupId) != 0)
            {
                throw new IOException($"chown {path}: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }

        say(existed ? $"{group} is there and belongs to {user.Name}" : $"made {group} for {user.Name}; it lasts until the machine is started anew");
    }

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
