using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cove.Cli;

/// <summary>The few calls that .NET has no name for. Constants are those of x86-64 and arm64 Linux, where they are the same.</summary>
internal static unsafe partial class Libc
{
    public const int AtCwd = -100;
    public const int ReadOnly = 0x0;
    public const int WriteOnly = 0x1;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int CloseOnExec = 0x80000;
    public const int SymlinkNoFollow = 0x100;
    public const int ErrorExists = 17;
    public const int ErrorInterrupted = 4;
    public const int ErrorAgain = 11;
    public const int ErrorBrokenPipe = 32;

    // O_DIRECTORY and O_NOFOLLOW are the two that differ.
    public static readonly int Directory = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;
    public static readonly int NoFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle OpenAt(SafeHandle directory, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle OpenAt(int directory, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectoryAt(SafeHandle directory, string path, uint mode);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RenameAt(SafeHandle from, string fromPath, SafeHandle to, string toPath);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int UnlinkAt(SafeHandle directory, string path, int flags);

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(int directory, string path, uint user, uint group, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, byte* bytes, nint length);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollEntry* entries, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    public static partial int WaitPid(int pid, int* status, int options);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, byte* buffer);

    /// <summary>Owner and mode of a path; null when there is nothing.</summary>
    public static (uint User, uint Mode)? Stat(string path, bool followLink = false)
    {
        // struct statx has one layout on all architectures (struct stat has not): stx_uid at 20, stx_mode (16 bits) at 28.
        const uint BasicStats = 0x7ff;
        var buffer = stackalloc byte[256];
        return StatX(AtCwd, path, followLink ? 0 : SymlinkNoFollow, BasicStats, buffer) == 0 ? (*(uint*)(buffer + 20), *(ushort*)(buffer + 28)) : null;
    }

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
