using System.Buffers.Text;
using System.Text;

namespace Cove.Agent.ChatClients;

/// <summary>
/// The id of a file in a sandbox: <c>cove_SANDBOX_PATH</c>, the path in base64url. It needs no table, so it holds as long as the sandbox does. Whoever
/// has an id knows the sandbox's, which nobody guesses; what it says is checked again by who reads it.
/// </summary>
internal readonly record struct SandboxFileId(SandboxId Sandbox, string Path)
{
    private const string Prefix = "cove_";
    private const int MaxPathBytes = 4096;
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static bool TryParse(string? text, out SandboxFileId id)
    {
        id = default;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length > Prefix.Length + 41 + (MaxPathBytes * 4 / 3) + 4)
        {
            return false;
        }

        var end = text.IndexOf('_', Prefix.Length);
        if (end < 0 || !SandboxId.TryParse(text[Prefix.Length..end], out var sandbox) || !Base64Url.IsValid(text.AsSpan(end + 1)))
        {
            return false;
        }

        try
        {
            var path = _strict.GetString(Base64Url.DecodeFromChars(text.AsSpan(end + 1)));
            id = new(sandbox, path);

            // One path has one id: what is written otherwise is not one of ours.
            return IsPath(path) && id.ToString() == text;
        }
        catch (Exception failure) when (failure is FormatException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Absolute, bounded, and without steps that lead elsewhere.</summary>
    private static bool IsPath(string path) =>
        path.StartsWith('/') && path.Length is > 1 and <= MaxPathBytes && !path.Contains('\0', StringComparison.Ordinal) && !path.Split('/').Any(part => part is "." or "..");

    public override string ToString() => $"{Prefix}{Sandbox.Value}_{Base64Url.EncodeToString(_strict.GetBytes(Path))}";
}
