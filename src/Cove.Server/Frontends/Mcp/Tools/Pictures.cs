namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>The pictures models take.</summary>
internal static class Pictures
{
    /// <summary>Whether models take pictures of this type.</summary>
    public static bool IsOne(string type) => type is "image/png" or "image/jpeg" or "image/gif" or "image/webp";

    /// <summary>The picture that bytes begin; null when they begin none. A file's name is its guest's, its bytes are what a host will decode.</summary>
    public static string? Of(ReadOnlySpan<byte> bytes) =>
        bytes is [0x89, (byte)'P', (byte)'N', (byte)'G', ..] ? "image/png"
        : bytes is [0xFF, 0xD8, 0xFF, ..] ? "image/jpeg"
        : bytes.StartsWith("GIF8"u8) ? "image/gif"
        : bytes.StartsWith("RIFF"u8) && bytes.Length >= 12 && bytes[8..12].SequenceEqual("WEBP"u8) ? "image/webp"
        : null;
}
