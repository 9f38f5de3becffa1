using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Journal;

/// <summary>A place in a journal's files.</summary>
internal readonly record struct JournalPosition(int Segment, long Offset);

/// <summary>
/// The writing end of one sandbox's journal on disk: lines appended to numbered segments, the oldest of which go when all of them are too
/// many. A write has reached the kernel when it returns, so it survives the death of this process; nothing is synced, so not a power cut.
/// </summary>
internal sealed class JournalFile : IDisposable
{
    /// <summary>Segments a full journal has: what is dropped at once is an eighth.</summary>
    private const int Segments = 8;

    /// <summary>In so much of a segment its owner is found: before it stands a number.</summary>
    private const int OwnerBytes = 1024;

    private readonly string _directory;
    private readonly long _maxBytes;
    private readonly Queue<(int Number, long Bytes)> _full = new();
    private FileStream _open;
    private SafeFileHandle _segment; // asking the stream for it anew would seek each time
    private long _fullBytes;
    private long _length;
    private int _number;

    private JournalFile(string directory, long maxBytes, int number)
    {
        (_directory, _maxBytes, _number) = (directory, maxBytes, number);
        _open = Open();
        _segment = _open.SafeFileHandle;
    }

    /// <summary>What its segments have together.</summary>
    public long Bytes => _fullBytes + _length;

    /// <summary>Whether the next line belongs into a new segment.</summary>
    public bool IsFull => _length >= _maxBytes / Segments;

    public JournalPosition Position => new(_number, _length);

    /// <summary>A new journal.</summary>
    public static JournalFile Create(string directory, long maxBytes)
    {
        JournalPaths.MakeDirectory(directory);
        return new JournalFile(directory, maxBytes, number: 1);
    }

    /// <summary>The end of a journal that somebody else began.</summary>
    public static JournalFile Continue(string directory, long maxBytes)
    {
        JournalPaths.MakeDirectory(directory);
        return new JournalFile(directory, maxBytes, (JournalPaths.Segments(directory) is [.., var last] ? last : 0) + 1);
    }

    /// <summary>Whose a journal is, as the first of its segments says; null when that is nobody's in particular, or can't be read.</summary>
    public static string? Owner(string directory)
    {
        try
        {
            if (JournalPaths.Segments(directory) is not [var first, ..])
            {
                return null;
            }

            Span<byte> start = stackalloc byte[OwnerBytes];
            using var segment = File.OpenHandle(JournalPaths.Segment(directory, first));
            return JournalLine.Owner(start[..RandomAccess.Read(segment, start, 0)]);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Appends whole lines. Throws <see cref="IOException"/> when the disk does not take them; what of them is there is then cut off again.</summary>
    public void Append(ReadOnlySpan<byte> lines)
    {
        try
        {
            RandomAccess.Write(_segment, lines, _length);
            _length += lines.Length;
        }
        catch (IOException)
        {
            RandomAccess.SetLength(_segment, _length);
            throw;
        }
    }

    /// <summary>Begins a new segment and drops the oldest ones that are too many.</summary>
    public void Rotate()
    {
        _full.Enqueue((_number, _length));
        _fullBytes += _length;
        _open.Dispose();
        _number++;
        _length = 0;
        _open = Open();
        _segment = _open.SafeFileHandle;
        Drop(_maxBytes / Segments * (Segments - 1));
    }

    /// <summary>Drops the oldest segments until those that are full have at most so much.</summary>
    public void Drop(long most)
    {
        while (_fullBytes > most && _full.TryDequeue(out var oldest))
        {
            _fullBytes -= oldest.Bytes;
            File.Delete(JournalPaths.Segment(_directory, oldest.Number));
        }
    }

    public void Dispose() => _open.Dispose();

    private FileStream Open() => new(JournalPaths.Segment(_directory, _number), new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
        UnixCreateMode = JournalPaths.PrivateFile,
    });
}
