namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>What files seem to be. Their names come from a guest, so this is a guess that nothing is decided by but how they are shown.</summary>
internal static class MediaTypes
{
    public const string Unknown = "application/octet-stream";

    private static readonly Dictionary<string, string> _byEnding = new(StringComparer.OrdinalIgnoreCase)
    {
        [".txt"] = "text/plain", [".log"] = "text/plain", [".md"] = "text/markdown", [".csv"] = "text/csv", [".json"] = "application/json", [".html"] = "text/html",
        [".py"] = "text/x-python", [".sh"] = "application/x-sh", [".js"] = "text/javascript", [".xml"] = "application/xml", [".yaml"] = "application/yaml", [".yml"] = "application/yaml",
        [".png"] = "image/png", [".jpg"] = "image/jpeg", [".jpeg"] = "image/jpeg", [".gif"] = "image/gif", [".webp"] = "image/webp", [".svg"] = "image/svg+xml",
        [".pdf"] = "application/pdf", [".zip"] = "application/zip", [".tar"] = "application/x-tar", [".gz"] = "application/gzip", [".xlsx"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    };

    /// <summary>By the name's ending.</summary>
    public static string Of(string path) => _byEnding.GetValueOrDefault(Path.GetExtension(path), Unknown);

    /// <summary>Whether models take pictures of this type.</summary>
    public static bool IsImage(string type) => type is "image/png" or "image/jpeg" or "image/gif" or "image/webp";

    /// <summary>The picture that bytes begin; null when they begin none.</summary>
    public static string? Picture(ReadOnlySpan<byte> bytes) =>
        bytes is [0x89, (byte)'P', (byte)'N', (byte)'G', ..] ? "image/png"
        : bytes is [0xFF, 0xD8, 0xFF, ..] ? "image/jpeg"
        : bytes.StartsWith("GIF8"u8) ? "image/gif"
        : bytes.StartsWith("RIFF"u8) && bytes.Length >= 12 && bytes[8..12].SequenceEqual("WEBP"u8) ? "image/webp"
        : null;
}
