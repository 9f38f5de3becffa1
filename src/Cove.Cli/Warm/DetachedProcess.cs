using System.Runtime.InteropServices;
using System.Text;

namespace Cove.Cli.Warm;

/// <summary>
/// Starts a program that outlives its starter and shares nothing with it: own session, own environment, default signals, and no descriptor but the log.
/// posix_spawn rather than Process.Start, which would hand down whatever descriptors this command itself was given (a pipe in a script would then never end).
/// </summary>
internal static unsafe partial class DetachedProcess
{
    private const short SetSignalDefault = 0x04;
    private const short SetSignalMask = 0x08;
    private const short SetSession = 0x80;
    private const int Append = 0x400;
    private const int OpaqueBytes = 1024; // posix_spawnattr_t is 336 bytes, posix_spawn_file_actions_t 80, sigset_t 128

    public static int Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, string logPath)
    {
        byte* attributes = stackalloc byte[OpaqueBytes], actions = stackalloc byte[OpaqueBytes], signals = stackalloc byte[OpaqueBytes];
        using var argv = new Strings([program, .. arguments]);
        using var envp = new Strings(environment.Select(pair => pair.Key + "=" + pair.Value));
        Check(InitAttributes(attributes));
        Check(InitActions(actions));
        try
        {
            new Span<byte>(signals, OpaqueBytes).Clear();
            Check(SetMask(attributes, signals));
            Check(FillSignals(signals));
            Check(SetDefault(attributes, signals));
            Check(SetFlags(attributes, SetSignalDefault | SetSignalMask | SetSession));
            Check(AddOpen(actions, 0, "/dev/null", Libc.ReadOnly, 0));
            Check(AddOpen(actions, 1, logPath, Libc.WriteOnly | Libc.Create | Append | Libc.NoFollow, 0x180));
            Check(AddDuplicate(actions, 1, 2));
            Check(AddCloseFrom(actions, 3));
            Check(AddChangeDirectory(actions, "/"));
            int pid;
            Check(Spawn(&pid, program, actions, attributes, argv.Pointers, envp.Pointers));
            return pid;
        }
        finally
        {
            _ = DestroyActions(actions);
            _ = DestroyAttributes(attributes);
        }
    }

    /// <summary>Whether the child has ended; its exit code is taken once.</summary>
    public static bool HasEnded(int pid)
    {
        const int NoHang = 1;
        int status;
        return Libc.WaitPid(pid, &status, NoHang) != 0;
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw Errors.Host("engine_start", $"The engine's process can't be started: {Marshal.GetPInvokeErrorMessage(error)}.", "Check that the program's files and the state directory are in place (cove doctor).");
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int InitAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int DestroyAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefault(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int FillSignals(byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(byte* actions, int descriptor, int copy);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    private static partial int AddCloseFrom(byte* actions, int first);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddChangeDirectory(byte* actions, string path);

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Spawn(int* pid, string program, byte* actions, byte* attributes, byte** argv, byte** envp);

    /// <summary>A null-terminated array of C strings.</summary>
    private sealed class Strings : IDisposable
    {
        private readonly GCHandle[] _texts;
        private readonly GCHandle _array;

        public Strings(IEnumerable<string> texts)
        {
            _texts = [.. texts.Select(text => GCHandle.Alloc(Encoding.UTF8.GetBytes(text + "\0"), GCHandleType.Pinned))];
            _array = GCHandle.Alloc(_texts.Select(text => text.AddrOfPinnedObject()).Append(0).ToArray(), GCHandleType.Pinned);
        }

        public byte** Pointers => (byte**)_array.AddrOfPinnedObject();

        public void Dispose()
        {
            _array.Free();
            foreach (var text in _texts)
            {
                text.Free();
            }
        }
    }
}
