using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>Pictures that a model may see: few, small, and of the kinds models take.</summary>
internal static class Images
{
    /// <summary>The kinds, the best first.</summary>
    public static string[] MediaTypes { get; } = ["image/png", "image/jpeg", "image/gif", "image/webp"];

    /// <summary>The pictures that fit the options; what was left out is said in a notice.</summary>
    public static List<AIContent> Of(RunReport report, SandboxToolOptions options, List<string> notices)
    {
        List<AIContent> pictures = [];
        foreach (var (mediaType, base64) in report.Pictures)
        {
            if (pictures.Count == options.MaxImages)
            {
                notices.Add($"{report.Pictures.Count} images were made; the first {options.MaxImages} are shown. Show fewer at a time.");
                break;
            }

            if (Decoded(base64) is not { } bytes)
            {
                notices.Add($"An image ({mediaType}) could not be read and was left out.");
            }
            else if (bytes.Length > options.MaxImageBytes)
            {
                notices.Add($"An image ({mediaType}) of {bytes.Length:N0} bytes was left out; at most {options.MaxImageBytes:N0} are shown. Make it smaller (figsize, dpi), or save it to a file.");
            }
            else
            {
                pictures.Add(new DataContent(bytes, mediaType));
            }
        }

        return pictures;
    }

    private static byte[]? Decoded(string base64)
    {
        var bytes = new byte[(base64.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? bytes[..length] : null;
    }
}
