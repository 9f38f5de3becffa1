using System.Runtime.InteropServices;
using System.Text;

namespace Cove.Cli.Running;

/// <summary>
/// Text to a descriptor of this process, buffered until it is flushed. Console's own stream hides that the reader has gone, and FileStream keeps a position
/// of its own, which overwrites when two descriptors share one file (<c>&gt;log 2&gt;&amp;1</c>).
/// </summary>
internal sealed unsafe class DescriptorWriter(int descriptor)
{
    private const short PollOut = 4;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _used;

    /// <summary>The error number a write failed with; 0 while all is well. Everything after a failure is dropped.</summary>
    public int Failure { get; private set; }

    public void Write(string text)
    {
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            // A chunk may end between the halves of a surrogate pair; then it ends one earlier.
            var take = Math.Min(rest.Length, (_buffer.Length - _used) / 3);
            if (take < rest.Length && take > 0 && char.IsHighSurrogate(rest[take - 1]))
            {
                take--;
            }

            if (take == 0)
            {
                Flush();
                continue;
            }

            _used += Encoding.UTF8.GetBytes(rest[..take], _buffer.AsSpan(_used));
            rest = rest[take..];
        }
    }

    public void Flush()
    {
        fixed (byte* start = _buffer)
        {
            var written = 0;
            while (written < _used && Failure == 0)
            {
                var count = Libc.Write(descriptor, start + written, _used - written);
                if (count >= 0)
                {
                    written += (int)count;
                    continue;
                }

                var error = Marshal.GetLastPInvokeError();
                switch (error)
                {
                    case Libc.ErrorInterrupted:
                        break;
                    case Libc.ErrorAgain:
                        var entry = new Libc.PollEntry { Descriptor = descriptor, Events = PollOut };
                        _ = Libc.Poll(&entry, 1, -1);
                        break;
                    default:
                        Failure = error;
                        break;
                }
            }
        }

        _used = 0;
    }
}
