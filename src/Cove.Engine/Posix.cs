using System.Runtime.InteropServices;

namespace Cove.Engine;

/// <summary>Who this process is.</summary>
internal static partial class Posix
{
    private const int SetDumpable = 4;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUserId();

    /// <summary>Becomes another user in all threads (the C library sees to that) with no way back, and checks that there is none.</summary>
    internal static void BecomeForGood(uint id)
    {
        if (SetGroups(0, 0) != 0 || SetGroupIds(id, id, id) != 0 || SetUserIds(id, id, id) != 0)
        {
            throw new InvalidOperationException($"This process could not become user {id}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        }

        if (SetUserIds(0, 0, 0) == 0)
        {
            throw new InvalidOperationException("This process could become root again after giving it up.");
        }

        // The change of ids made /proc/self root's; the runtime reads its own maps there.
        _ = ProcessControl(SetDumpable, 1, 0, 0, 0);
    }

    /// <summary>Gives a file or directory to another user; a link itself, not what it names.</summary>
    internal static void Give(string path, uint id)
    {
        if (ChangeOwner(path, id, id) != 0)
        {
            throw new IOException($"'{path}' could not be given to user {id}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "setgroups", SetLastError = true)]
    private static partial int SetGroups(nuint count, nint groups);

    [LibraryImport("libc", EntryPoint = "setresgid", SetLastError = true)]
    private static partial int SetGroupIds(uint real, uint effective, uint saved);

    [LibraryImport("libc", EntryPoint = "setresuid", SetLastError = true)]
    private static partial int SetUserIds(uint real, uint effective, uint saved);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);
}
