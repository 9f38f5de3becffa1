using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>
/// Says when a descriptor can be read or written. One thread waits for all of them: .NET's own event loop serves sockets only, and a
/// guest's stdout must be a pipe (programs open /dev/stdout, which fails on a socket).
/// </summary>
internal sealed unsafe class Reactor : IDisposable
{
    // Threads that wait so serve nobody else meanwhile.
    private static readonly int _mostBrief = Math.Max(1, Environment.ProcessorCount / 2);

    private readonly SafeFileHandle _epoll;
    private readonly SafeFileHandle _stop;
    private readonly ConcurrentDictionary<long, Watched> _watched = new();
    private readonly Thread _thread;
    private long _nextKey;
    private int _waitingBriefly;

    public Reactor()
    {
        _epoll = Libc.EpollCreate(Libc.O_CLOEXEC);
        _stop = Libc.EventDescriptor(0, Libc.O_CLOEXEC | Libc.O_NONBLOCK);
        var change = new Libc.EpollEvent { Events = Libc.EPOLLIN, Data = 0 };
        if (_epoll.IsInvalid || _stop.IsInvalid || Libc.EpollControl(_epoll, Libc.EPOLL_CTL_ADD, _stop, &change) != 0)
        {
            throw Libc.Failure("epoll");
        }

        _thread = new Thread(Loop) { IsBackground = true, Name = "cove reactor" };
        _thread.Start();
    }

    public Watched Watch(SafeFileHandle descriptor)
    {
        var watched = new Watched(this, Interlocked.Increment(ref _nextKey), descriptor);
        _watched[watched.Key] = watched;
        return watched;
    }

    /// <summary>
    /// Holds this thread until the descriptor can be read, which it answers, or <paramref name="unless"/> has completed: on half the processors at most.
    /// It asks again and again and gives way in between: a thread that slept would have to be woken.
    /// </summary>
    public bool WaitBriefly(SafeFileHandle descriptor, TimeSpan most, Task? unless)
    {
        var can = false;
        if (Interlocked.Increment(ref _waitingBriefly) <= _mostBrief)
        {
            var started = Stopwatch.GetTimestamp();
            while (!(can = Descriptors.CanRead(descriptor)) && unless is not { IsCompleted: true } && Stopwatch.GetElapsedTime(started) < most)
            {
                Thread.Yield();
            }
        }

        Interlocked.Decrement(ref _waitingBriefly);
        return can;
    }

    public void Dispose()
    {
        ulong one = 1;
        _ = Libc.Write(_stop, (byte*)&one, sizeof(ulong));
        _thread.Join();
        foreach (var watched in _watched.Values)
        {
            watched.Dispose();
        }

        _epoll.Dispose();
        _stop.Dispose();
    }

    internal void Arm(Watched watched, bool first, uint interest)
    {
        var change = new Libc.EpollEvent { Events = interest | Libc.EPOLLONESHOT, Data = watched.Key };
        if (Libc.EpollControl(_epoll, first ? Libc.EPOLL_CTL_ADD : Libc.EPOLL_CTL_MOD, watched.Descriptor, &change) != 0)
        {
            throw Libc.Failure("epoll_ctl");
        }
    }

    internal void Forget(Watched watched, bool armed)
    {
        _watched.TryRemove(watched.Key, out _);
        if (armed)
        {
            // By hand: closing would not take it out of the set while a process that inherited the open file keeps it alive.
            var change = default(Libc.EpollEvent);
            _ = Libc.EpollControl(_epoll, Libc.EPOLL_CTL_DEL, watched.Descriptor, &change);
        }
    }

    private void Loop()
    {
        const int Most = 64;
        var events = stackalloc Libc.EpollEvent[Most];
        while (true)
        {
            var count = Libc.EpollWait(_epoll, events, Most, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != Libc.EINTR)
            {
                return;
            }

            for (var i = 0; i < count; i++)
            {
                if (events[i].Data == 0)
                {
                    return;
                }

                if (_watched.TryGetValue(events[i].Data, out var watched))
                {
                    watched.Signal(events[i].Events);
                }
            }
        }
    }
}
