using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>The C library calls .NET has no counterpart for: pipes and sockets whose descriptors travel between processes.</summary>
internal static unsafe partial class Libc
{
    public const int EINTR = 4, EAGAIN = 11, EPIPE = 32;
    public const int O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000;
    public const int F_GETFL = 3, F_SETFL = 4, F_DUPFD_CLOEXEC = 1030;
    public const int AF_UNIX = 1, SOCK_STREAM = 1, SOCK_CLOEXEC = O_CLOEXEC, SOCK_NONBLOCK = O_NONBLOCK;
    public const int SOL_SOCKET = 1, SCM_RIGHTS = 1, SO_ERROR = 4, ECONNRESET = 104;
    public const int MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000, MSG_CTRUNC = 8;
    public const uint EPOLLIN = 1, EPOLLOUT = 4, EPOLLERR = 8, EPOLLHUP = 16, EPOLLONESHOT = 1u << 30;
    public const nuint TIOCSWINSZ = 0x5414, SIOCOUTQ = 0x5411;
    public const short POLLIN = 1;
    public const int EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3;

    private const string Name = "libc";

    [LibraryImport(Name, EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe2(int* descriptors, int flags);

    [LibraryImport(Name, EntryPoint = "socketpair", SetLastError = true)]
    public static partial int SocketPair(int domain, int type, int protocol, int* descriptors);

    [LibraryImport(Name, EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeFileHandle descriptor, byte* buffer, nuint count);

    [LibraryImport(Name, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileHandle descriptor, byte* buffer, nuint count);

    [LibraryImport(Name, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Fcntl(SafeFileHandle descriptor, int command, int argument);

    [LibraryImport(Name, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Duplicate(SafeHandle descriptor, int command, int lowest);

    [LibraryImport(Name, EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(SafeFileHandle descriptor, MessageHeader* message, int flags);

    [LibraryImport(Name, EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceiveMessage(SafeFileHandle descriptor, MessageHeader* message, int flags);

    [LibraryImport(Name, EntryPoint = "ioctl", SetLastError = true)]
    public static partial int SetWindowSize(SafeFileHandle terminal, nuint request, WindowSize* size);

    [LibraryImport(Name, EntryPoint = "ioctl", SetLastError = true)]
    public static partial int AskNumber(SafeFileHandle descriptor, nuint request, int* answer);

    [LibraryImport(Name, EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int SocketOption(SafeFileHandle socket, int level, int option, int* value, uint* length);

    [LibraryImport(Name, EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial SafeFileHandle EpollCreate(int flags);

    [LibraryImport(Name, EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(SafeFileHandle epoll, int operation, SafeFileHandle descriptor, EpollEvent* change);

    [LibraryImport(Name, EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(SafeFileHandle epoll, EpollEvent* events, int most, int timeoutMilliseconds);

    [LibraryImport(Name, EntryPoint = "poll")]
    public static partial int Poll(PollDescriptor* descriptors, nuint count, int timeoutMilliseconds);

    [LibraryImport(Name, EntryPoint = "eventfd", SetLastError = true)]
    public static partial SafeFileHandle EventDescriptor(uint initial, int flags);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    /// <summary>struct winsize.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort PixelsWide;
        public ushort PixelsHigh;
    }

    /// <summary>struct msghdr on 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary>struct epoll_event, packed on x86_64.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    public struct EpollEvent
    {
        public uint Events;
        public long Data;
    }

    /// <summary>The last call's error as an exception that names the call.</summary>
    public static IOException Failure(string call) =>
        new($"{call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    /// <summary>A pipe; the reader's end does not block, the writer's does when asked.</summary>
    public static (SafeFileHandle Reader, SafeFileHandle Writer) OpenPipe(bool readerWaits, bool writerWaits)
    {
        var ends = stackalloc int[2];
        if (Pipe2(ends, O_CLOEXEC) != 0)
        {
            throw Failure("pipe2");
        }

        var reader = new SafeFileHandle(ends[0], ownsHandle: true);
        var writer = new SafeFileHandle(ends[1], ownsHandle: true);
        // Unlike in MakeNonBlocking no flags are asked for first: a fresh end has none that could be lost.
        if ((!readerWaits && Fcntl(reader, F_SETFL, O_NONBLOCK) < 0) || (!writerWaits && Fcntl(writer, F_SETFL, O_NONBLOCK) < 0))
        {
            throw Failure("fcntl");
        }

        return (reader, writer);
    }

    /// <summary>A connected pair of stream sockets; ours does not block.</summary>
    public static (SafeFileHandle Ours, SafeFileHandle Theirs) OpenSocketPair()
    {
        var ends = stackalloc int[2];
        if (SocketPair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        {
            throw Failure("socketpair");
        }

        var ours = new SafeFileHandle(ends[0], ownsHandle: true);
        MakeNonBlocking(ours);
        return (ours, new SafeFileHandle(ends[1], ownsHandle: true));
    }

    /// <summary>The flags belong to this end alone: the two ends of a pipe are two open files.</summary>
    public static void MakeNonBlocking(SafeFileHandle descriptor)
    {
        var flags = Fcntl(descriptor, F_GETFL, 0);
        if (flags < 0 || Fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0)
        {
            throw Failure("fcntl");
        }
    }
}
