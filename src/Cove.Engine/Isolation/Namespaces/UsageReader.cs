using System.Buffers.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>Reads a cell's control group files. They stay open: opening costs more than reading.</summary>
internal sealed class UsageReader : IDisposable
{
    private readonly Dictionary<string, SafeFileHandle> _files = [];

    public UsageReader(JsonElement paths)
    {
        foreach (var path in paths.EnumerateObject())
        {
            try
            {
                _files[path.Name] = File.OpenHandle(path.Value.GetString() ?? "", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            }
            catch (IOException)
            {
                // Older kernels lack some of them (memory.peak came with 5.19).
            }
        }
    }

    public CellUsage Read() => Throttled(new(Number("memory"), Number("memory_peak"), Field("oom", "oom_kill "u8), ReadCpu(), (int?)Number("pids"), Field("pids_events", "max "u8)));

    public CellUsage ReadHits() => Throttled(new(null, null, Field("oom", "oom_kill "u8), null, null, Field("pids_events", "max "u8)));

    public CellUsage ReadEnd() => Throttled(new(null, Number("memory_peak"), Field("oom", "oom_kill "u8), ReadCpu(), null, Field("pids_events", "max "u8)));

    public long? ReadCpu() => Number("cpu_nanoseconds") ?? (Field("cpu_stat", "usage_usec "u8) * 1000);

    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Dispose();
        }
    }

    private CellUsage Throttled(CellUsage usage)
    {
        Span<byte> buffer = stackalloc byte[1024];
        ReadOnlySpan<byte> text = Read("cpu_stat", buffer);

        // Version 1 counts in nanoseconds, version 2 in microseconds.
        return usage with { ThrottledNanoseconds = Field(text, "throttled_time "u8) ?? (Field(text, "throttled_usec "u8) * 1000), ThrottledPeriods = Field(text, "nr_throttled "u8) };
    }

    private long? Number(string file)
    {
        Span<byte> buffer = stackalloc byte[64];
        var text = Read(file, buffer);
        return Utf8Parser.TryParse(text, out long value, out _) ? value : null;
    }

    private long? Field(string file, ReadOnlySpan<byte> name)
    {
        Span<byte> buffer = stackalloc byte[1024];
        return Field(Read(file, buffer), name);
    }

    private static long? Field(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        while (text.Length > 0)
        {
            if (text.StartsWith(name))
            {
                return Utf8Parser.TryParse(text[name.Length..], out long value, out _) ? value : null;
            }

            var end = text.IndexOf((byte)'\n');
            text = end < 0 ? [] : text[(end + 1)..];
        }

        return null;
    }

    private ReadOnlySpan<byte> Read(string file, Span<byte> buffer)
    {
        try
        {
            return _files.TryGetValue(file, out var handle) ? buffer[..RandomAccess.Read(handle, buffer, 0)] : [];
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            return []; // the group is gone
        }
    }
}
