using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Files;

/// <summary>A whole answer of the file worker: its pages and the descriptor that came with it, if any.</summary>
internal sealed class FileReply(IReadOnlyList<JsonElement> pages, SafeFileHandle? descriptor) : IDisposable
{
    public IReadOnlyList<JsonElement> Pages => pages;

    public JsonElement Last => pages[^1];

    public SafeFileHandle? Descriptor => descriptor;

    public bool Ok => Last.Flag("ok");

    public void Dispose() => descriptor?.Dispose();
}

/// <summary>Reads fields of answers that a hostile sandbox may have written: a field of the wrong type is one that is missing.</summary>
internal static class FileJson
{
    public static string? Text(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    public static long? Number(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            ? number
            : null;

    public static bool Flag(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    /// <summary>An entry as the worker describes it; null when it is none.</summary>
    public static FileEntry? Entry(this JsonElement stat)
    {
        if (stat.Text("path") is not { Length: > 0 and <= 8192 } path || stat.Number("size_bytes") is not (>= 0 and var size))
        {
            return null;
        }

        // Times a guest set may lie outside what a date can hold.
        var modified = Math.Clamp(stat.Number("modified_ms") ?? 0, -62_135_596_800_000, 253_402_300_799_999);
        return new FileEntry
        {
            Path = FilePaths.Show(path),
            Kind = stat.Text("type") switch
            {
                "file" => FileKind.File,
                "directory" => FileKind.Directory,
                "symlink" => FileKind.Symlink,
                _ => FileKind.Other,
            },
            SizeBytes = size,
            AllocatedBytes = Math.Max(0, stat.Number("allocated_bytes") ?? 0),
            Mode = (int)(stat.Number("mode") ?? 0) & 0xFFF,
            ModifiedAt = DateTimeOffset.FromUnixTimeMilliseconds(modified),
            LinkTarget = stat.Text("link_target") is { } target ? FilePaths.Show(target) : null,
        };
    }
}
