using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Files;

/// <summary>
/// Looks at a descriptor that came from a sandbox before the host reads or writes it: only a regular file may be touched, because
/// a FIFO would block the host's thread and a device could do anything. statx is used for its layout, which is the same on every architecture.
/// </summary>
internal static unsafe partial class RegularFile
{
    private const int EmptyPath = 0x1000;
    private const uint TypeAndSize = 0x0201;
    private const int ModeOffset = 28;
    private const int SizeOffset = 40;
    private const int TypeMask = 0xF000;
    private const int RegularType = 0x8000;

    /// <summary>The length of a regular file; null when the descriptor is anything else.</summary>
    public static long? Length(SafeFileHandle handle)
    {
        var buffer = stackalloc byte[256];
        var empty = stackalloc byte[1];
        empty[0] = 0;
        var added = false;
        try
        {
            handle.DangerousAddRef(ref added);
            if (StatX((int)handle.DangerousGetHandle(), empty, EmptyPath, TypeAndSize, buffer) != 0)
            {
                return null;
            }
        }
        finally
        {
            if (added)
            {
                handle.DangerousRelease();
            }
        }

        var answer = new ReadOnlySpan<byte>(buffer, 256);
        var mode = BitConverter.ToUInt16(answer[ModeOffset..]);
        return (mode & TypeMask) == RegularType ? BitConverter.ToInt64(answer[SizeOffset..]) : null;
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int directory, byte* path, int flags, uint mask, byte* buffer);
}
