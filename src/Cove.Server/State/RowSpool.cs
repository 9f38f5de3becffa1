using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Cove.Server.State;

/// <summary>
/// Rows on their way into the database, as lines of two files in the data directory. A row that was taken has reached the kernel, so it outlives
/// the death of this process, and the next one brings it in. Nothing is synced: a power cut may take the last moments. For one server at a time.
/// </summary>
internal sealed class RowSpool<T> : IDisposable
    where T : class
{
    /// <summary>From here on the other file is used, when nothing in it is needed any more: one that is always in use would grow without end.</summary>
    private const long TurnBytes = 1 << 20;

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Lock _lock = new();
    private readonly string _name;
    private readonly JsonTypeInfo<T> _type;
    private readonly ILogger _log;
    private readonly Part[] _parts;
    private int _current;
    private bool _failed;

    /// <summary>Opens the files; what is in them is gone after this.</summary>
    public RowSpool(string directory, string name, JsonTypeInfo<T> type, ILogger log)
    {
        (_name, _type, _log) = (name, type, log);
        _parts = [.. Paths(directory, name).Select(path => new Part(this, path))];
    }

    /// <summary>The rows that the last server had taken and may not have brought into the database. Those of each file are in their order.</summary>
    public static List<T> Left(string directory, string name, JsonTypeInfo<T> type)
    {
        var rows = new List<T>();
        foreach (var line in Paths(directory, name).Where(File.Exists).SelectMany(File.ReadLines))
        {
            try
            {
                if (JsonSerializer.Deserialize(line, type) is { } row)
                {
                    rows.Add(row);
                }
            }
            catch (JsonException)
            {
                // The kill came in the middle of it: nobody was told that it is there.
            }
        }

        return rows;
    }

    /// <summary>Takes a row. Returns what to call when it need not be kept any more, written or given up; null when a disk that fails did not take it.</summary>
    public Action<bool>? Take(T row)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(row, _type), (byte)'\n'];
        lock (_lock)
        {
            if (_parts[_current].Length > TurnBytes && _parts[1 - _current].Rows == 0)
            {
                _current = 1 - _current;
            }

            return Append_NeedsLock(_parts[_current], line);
        }
    }

    public void Dispose()
    {
        foreach (var part in _parts)
        {
            part.File.Dispose();
        }
    }

    private Action<bool>? Append_NeedsLock(Part part, byte[] line)
    {
        try
        {
            RandomAccess.Write(part.File, line, part.Length);
            part.Length += line.Length;
            part.Rows++;
            _failed = false;
            return part.Settled;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Fail_NeedsLock(failure);
            return null;
        }
    }

    private void Fail_NeedsLock(Exception failure)
    {
        if (!_failed)
        {
            _log.RowsNotSpooled(failure, _name);
        }

        _failed = true;
    }

    private void Settle(Part part)
    {
        lock (_lock)
        {
            if (--part.Rows > 0 || part.File.IsClosed)
            {
                return;
            }

            try
            {
                RandomAccess.SetLength(part.File, 0);
                part.Length = 0;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                Fail_NeedsLock(failure); // what is left is in the database, and brought in no second time; the writer who calls this goes on
            }
        }
    }

    private static string[] Paths(string directory, string name) => [Path.Combine(directory, name + ".0.jsonl"), Path.Combine(directory, name + ".1.jsonl")];

    private sealed class Part
    {
        public Part(RowSpool<T> spool, string path)
        {
            using (new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, UnixCreateMode = Private }))
            {
                // Made with its mode.
            }

            File = System.IO.File.OpenHandle(path, FileMode.Truncate, FileAccess.Write, FileShare.Read);
            Settled = _ => spool.Settle(this);
        }

        public SafeFileHandle File { get; }

        public Action<bool> Settled { get; }

        /// <summary>Rows that are not in the database yet.</summary>
        public int Rows { get; set; }

        public long Length { get; set; }
    }
}

/// <summary>How they are written.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditRow))]
[JsonSerializable(typeof(SandboxRow))]
internal sealed partial class SpoolJson : JsonSerializerContext;
