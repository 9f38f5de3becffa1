using System.Buffers;

namespace Cove.Engine.Journal;

/// <summary>Takes what it wants of a line; null for a line it does not want.</summary>
internal delegate T? JournalPick<out T>(JournalLine line)
    where T : class;

/// <summary>
/// Reads a journal's files line by line, a block at a time, from a place on. Between blocks it holds nothing, no descriptor and no buffer, so
/// any number of slow readers can be in the middle of a file that is written, dropped from the front or moved meanwhile.
/// </summary>
internal sealed class JournalCursor(JournalPaths paths, SandboxId sandbox, JournalPosition start)
{
    private const int BlockBytes = 64 << 10;

    /// <summary>Longer than any line (an event has at most 16 MiB of display data, up to six bytes a byte when escaped): what is longer is damage.</summary>
    private const int MaxLineBytes = 128 << 20;

    private JournalPosition _at = start;

    /// <summary>Reads the next lines and adds what is wanted of them; false when there are none now.</summary>
    public bool ReadBlock<T>(JournalPick<T> pick, List<T> into)
        where T : class
    {
        while (true)
        {
            // Two tries: the directory may be moved between being found and being opened.
            if (paths.Find(sandbox) is not { } directory)
            {
                return false;
            }

            var read = TryReadSegment(directory, pick, into);
            if (read is > 0)
            {
                return true;
            }

            // At the end of a segment, or it was dropped: the next one, if there is one.
            var next = Next(directory);
            if (next is null)
            {
                return false;
            }

            if (next.Value > _at.Segment)
            {
                _at = new JournalPosition(next.Value, 0);
            }
        }
    }

    private int? Next(string directory)
    {
        try
        {
            foreach (var number in JournalPaths.Segments(directory))
            {
                if (number > _at.Segment)
                {
                    return number;
                }
            }

            return null;
        }
        catch (DirectoryNotFoundException)
        {
            return paths.Find(sandbox) is { } moved && moved != directory ? _at.Segment : null;
        }
    }

    /// <summary>How many bytes of whole lines were read; null when the segment is not there.</summary>
    private int? TryReadSegment<T>(string directory, JournalPick<T> pick, List<T> into)
        where T : class
    {
        try
        {
            using var file = File.OpenHandle(JournalPaths.Segment(directory, _at.Segment), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            for (var size = BlockBytes; size <= MaxLineBytes; size *= 4)
            {
                var buffer = ArrayPool<byte>.Shared.Rent(size);
                try
                {
                    var count = Fill(file, buffer.AsSpan(0, size));
                    var whole = buffer.AsSpan(0, count).LastIndexOf((byte)'\n') + 1;
                    if (whole > 0 || count < size)
                    {
                        Take(buffer.AsSpan(0, whole), pick, into); // what is left over is a line that is being written, or was when its writer died
                        _at = _at with { Offset = _at.Offset + whole };
                        return whole;
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }

            return 0;
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private int Fill(Microsoft.Win32.SafeHandles.SafeFileHandle file, Span<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length && RandomAccess.Read(file, buffer[filled..], _at.Offset + filled) is > 0 and var count)
        {
            filled += count;
        }

        return filled;
    }

    private static void Take<T>(ReadOnlySpan<byte> lines, JournalPick<T> pick, List<T> into)
        where T : class
    {
        while (lines.IndexOf((byte)'\n') is >= 0 and var end)
        {
            if (JournalLine.TryParse(lines[..end], out var line) && Picked(pick, line) is { } wanted)
            {
                into.Add(wanted);
            }

            lines = lines[(end + 1)..];
        }
    }

    /// <summary>A line whose payload is damaged is skipped like one that is damaged altogether; who counts sequences sees the gap.</summary>
    private static T? Picked<T>(JournalPick<T> pick, JournalLine line)
        where T : class
    {
        try
        {
            return pick(line);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
