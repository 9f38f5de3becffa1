using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>Reading and writing non-blocking descriptors. A closed descriptor counts as a broken one, so that a race with closing needs no handling above.</summary>
internal static unsafe class Descriptors
{
    /// <summary>Nothing can be done now.</summary>
    public const int WouldBlock = -1;

    /// <summary>Nothing can be done any more.</summary>
    public const int Broken = -2;

    private const int MaxPassed = 16;
    private const int ControlHeader = 16;
    private const int ControlLength = ControlHeader + (sizeof(int) * MaxPassed);

    /// <summary>Bytes read, 0 at the end, <see cref="WouldBlock"/> or <see cref="Broken"/>.</summary>
    public static int Read(SafeFileHandle descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                try
                {
                    if (Outcome(Libc.Read(descriptor, start, (nuint)buffer.Length)) is { } outcome)
                    {
                        return outcome;
                    }
                }
                catch (ObjectDisposedException)
                {
                    return Broken;
                }
            }
        }
    }

    /// <summary>Whether a read would not block: bytes, an end of file or a fault are there.</summary>
    public static bool CanRead(SafeFileHandle descriptor)
    {
        var added = false;
        try
        {
            descriptor.DangerousAddRef(ref added);
            var asked = new Libc.PollDescriptor { Descriptor = (int)descriptor.DangerousGetHandle(), Events = Libc.POLLIN };
            return Libc.Poll(&asked, 1, 0) > 0;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
        finally
        {
            if (added)
            {
                descriptor.DangerousRelease();
            }
        }
    }

    /// <summary>Bytes written, <see cref="WouldBlock"/> or <see cref="Broken"/>. (.NET ignores SIGPIPE for the whole process.)</summary>
    public static int Write(SafeFileHandle descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                try
                {
                    if (Outcome(Libc.Write(descriptor, start, (nuint)bytes.Length)) is { } outcome)
                    {
                        return outcome;
                    }
                }
                catch (ObjectDisposedException)
                {
                    return Broken;
                }
            }
        }
    }

    /// <summary>Bytes sent with descriptors beside the first, <see cref="WouldBlock"/> or <see cref="Broken"/>.</summary>
    public static int Send(SafeFileHandle socket, ReadOnlySpan<byte> bytes, ReadOnlySpan<SafeFileHandle> passed)
    {
        var control = stackalloc byte[ControlLength];
        var held = 0;
        try
        {
            for (; held < passed.Length; held++)
            {
                var added = false;
                passed[held].DangerousAddRef(ref added);
                *(int*)(control + ControlHeader + (sizeof(int) * held)) = (int)passed[held].DangerousGetHandle();
            }

            *(nuint*)control = (nuint)(ControlHeader + (sizeof(int) * held));
            *(int*)(control + 8) = Libc.SOL_SOCKET;
            *(int*)(control + 12) = Libc.SCM_RIGHTS;
            fixed (byte* start = bytes)
            {
                var vector = new Libc.IoVector { Base = start, Length = (nuint)bytes.Length };
                var message = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1 };
                if (held > 0)
                {
                    message.Control = control;
                    message.ControlLength = (nuint)Align(ControlHeader + (sizeof(int) * held));
                }

                while (true)
                {
                    if (Outcome(Libc.SendMessage(socket, &message, Libc.MSG_NOSIGNAL)) is { } outcome)
                    {
                        return outcome;
                    }
                }
            }
        }
        catch (ObjectDisposedException)
        {
            return Broken;
        }
        finally
        {
            for (var i = 0; i < held; i++)
            {
                passed[i].DangerousRelease();
            }
        }
    }

    /// <summary>Bytes received, 0 at the end, <see cref="WouldBlock"/> or <see cref="Broken"/>; descriptors that came along are added to <paramref name="passed"/>.</summary>
    public static int Receive(SafeFileHandle socket, Span<byte> buffer, Queue<SafeFileHandle> passed)
    {
        var control = stackalloc byte[ControlLength];
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var vector = new Libc.IoVector { Base = start, Length = (nuint)buffer.Length };
                var message = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlLength };
                try
                {
                    if (Outcome(Libc.ReceiveMessage(socket, &message, Libc.MSG_CMSG_CLOEXEC)) is { } outcome)
                    {
                        if (outcome >= 0)
                        {
                            Keep(&message, passed);
                        }

                        return outcome;
                    }
                }
                catch (ObjectDisposedException)
                {
                    return Broken;
                }
            }
        }
    }

    /// <summary>
    /// Whether something sent on this stream socket was not read: the kernel says so by a reset where the peer is closed already, and by
    /// what is still queued where something else holds the peer open (a child that the guest forked).
    /// </summary>
    public static bool LeftUnread(SafeFileHandle socket)
    {
        int error = 0, queued = 0;
        uint length = sizeof(int);
        try
        {
            return (Libc.SocketOption(socket, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &length) == 0 && error == Libc.ECONNRESET)
                || (Libc.AskNumber(socket, Libc.SIOCOUTQ, &queued) == 0 && queued > 0);
        }
        catch (ObjectDisposedException)
        {
            return false; // whoever closed it had given the process up
        }
    }

    /// <summary>Null: interrupted, call again.</summary>
    private static int? Outcome(nint result) => result >= 0
        ? (int)result
        : Marshal.GetLastPInvokeError() switch
        {
            Libc.EINTR => null,
            Libc.EAGAIN => WouldBlock,
            _ => Broken,
        };

    private static int Align(int length) => (length + 7) & ~7;

    private static void Keep(Libc.MessageHeader* message, Queue<SafeFileHandle> passed)
    {
        var offset = 0;
        while (offset + ControlHeader <= (int)message->ControlLength)
        {
            var header = (byte*)message->Control + offset;
            var length = (int)*(nuint*)header;
            if (length < ControlHeader)
            {
                return;
            }

            if (*(int*)(header + 8) == Libc.SOL_SOCKET && *(int*)(header + 12) == Libc.SCM_RIGHTS)
            {
                for (var i = ControlHeader; i + sizeof(int) <= length; i += sizeof(int))
                {
                    passed.Enqueue(new SafeFileHandle(*(int*)(header + i), ownsHandle: true));
                }
            }

            offset += Align(length);
        }
    }
}
