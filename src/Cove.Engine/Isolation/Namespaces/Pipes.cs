using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>The host's reading end of a pipe, or of a terminal.</summary>
internal sealed class PipeSource : ByteSource
{
    // A short run answers in a tenth of a millisecond; waking two threads for it would take as long again. A longer one loses nothing.
    private static readonly TimeSpan _brief = TimeSpan.FromMicroseconds(400);

    private readonly Watched _watched;

    public PipeSource(Reactor reactor, SafeFileHandle descriptor)
        : this(reactor.Watch(descriptor))
    {
    }

    public PipeSource(Watched watched) => _watched = watched;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = TryRead(buffer.Span);
        return count >= 0 ? new(count) : WaitAndReadAsync(buffer, cancellationToken);
    }

    public override int TryRead(Span<byte> buffer) => Descriptors.Read(_watched.Descriptor, buffer) switch
    {
        Descriptors.Broken => 0,
        var count => count,
    };

    public override void WaitBriefly() => _watched.WaitBriefly(_brief);

    public override void Dispose() => _watched.Dispose();

    private async ValueTask<int> WaitAndReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (await _watched.WaitReadableAsync(cancellationToken))
        {
            var count = TryRead(buffer.Span);
            if (count >= 0)
            {
                return count;
            }
        }

        return 0;
    }
}

/// <summary>The host's writing end of a pipe, or of a terminal.</summary>
internal sealed class PipeSink : ByteSink
{
    private readonly Watched _watched;

    public PipeSink(Reactor reactor, SafeFileHandle descriptor)
        : this(reactor.Watch(descriptor))
    {
    }

    public PipeSink(Watched watched) => _watched = watched;

    public override async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            var count = Descriptors.Write(_watched.Descriptor, bytes.Span);
            if (count > 0)
            {
                bytes = bytes[count..];
            }
            else if (count == Descriptors.Broken || !await _watched.WaitWritableAsync(cancellationToken))
            {
                return false;
            }
        }

        return true;
    }

    public override void Dispose() => _watched.Dispose();
}

/// <summary>Three fresh pipes for one run of a kernel, and a fourth the other way where the host has something to say.</summary>
internal sealed class PipeRunChannels : RunChannels
{
    private readonly SafeFileHandle[] _guestEnds;
    private readonly PipeSource[] _sources = new PipeSource[3];

    private readonly PipeSink? _host;

    public PipeRunChannels(Reactor reactor, bool host)
    {
        _guestEnds = new SafeFileHandle[host ? 4 : 3];
        for (var i = 0; i < 3; i++)
        {
            var (reader, writer) = Libc.OpenPipe(readerWaits: false, writerWaits: true);
            _sources[i] = new PipeSource(reactor, reader);
            _guestEnds[i] = writer;
        }

        if (host)
        {
            // The guest's end does not wait either: several event loops in one interpreter may read it.
            var (reader, writer) = Libc.OpenPipe(readerWaits: false, writerWaits: false);
            (_guestEnds[3], _host) = (reader, new PipeSink(reactor, writer));
        }
    }

    public override ByteSource Stdout => _sources[0];

    public override ByteSource Stderr => _sources[1];

    public override ByteSource Result => _sources[2];

    public override ByteSink? Host => _host;

    /// <summary>The ends that are sent to the guest, and then closed here so that the end of file can be seen.</summary>
    public ReadOnlySpan<SafeFileHandle> GuestEnds => _guestEnds;

    public void CloseGuestEnds()
    {
        foreach (var end in _guestEnds)
        {
            end.Dispose();
        }
    }

    public override void Dispose()
    {
        CloseGuestEnds();
        foreach (var source in _sources)
        {
            source.Dispose();
        }

        _host?.Dispose();
    }
}
