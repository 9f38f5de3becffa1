using System.Runtime.InteropServices;

namespace Cove.Agent;

/// <summary>What Linux says of a file, and .NET does not: its owner, and whether it is one at all or something that an opening may wait for without end.</summary>
/// <param name="User">The owner's id.</param>
/// <param name="Mode">Type and permissions.</param>
internal readonly partial record struct UnixStat(uint User, uint Mode)
{
    private const uint TypeMask = 0xF000;
    private const uint Regular = 0x8000;

    /// <summary>Whether it is a regular file: no FIFO, socket or device.</summary>
    public bool IsRegular => (Mode & TypeMask) == Regular;

    /// <summary>
    /// What is at a path; null when it can't be looked at. Nothing is opened. <c>struct statx</c> has one layout on all architectures:
    /// <c>stx_uid</c> at 20, <c>stx_mode</c> (16 bits) at 28.
    /// </summary>
    public static UnixStat? Of(string path, bool followsLinks = true)
    {
        const int AtCwd = -100;
        const int NoFollow = 0x100;
        const uint BasicStats = 0x7ff;
        Span<byte> buffer = stackalloc byte[256];
        return StatX(AtCwd, path, followsLinks ? 0 : NoFollow, BasicStats, buffer) == 0 ? new(MemoryMarshal.Read<uint>(buffer[20..]), MemoryMarshal.Read<ushort>(buffer[28..])) : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, Span<byte> buffer);
}
