using System.Globalization;
using System.Text;

namespace Cove.Agent.ChatClients;

/// <summary>Names of files that come from elsewhere, made fit for <c>/workspace</c>.</summary>
internal static class FileNames
{
    private const int MaxLength = 120;

    private static readonly Dictionary<string, string> _endings = new(StringComparer.OrdinalIgnoreCase)
    {
        ["application/json"] = ".json", ["application/pdf"] = ".pdf", ["application/zip"] = ".zip", ["image/gif"] = ".gif", ["image/jpeg"] = ".jpg", ["image/png"] = ".png",
        ["image/webp"] = ".webp", ["text/csv"] = ".csv", ["text/html"] = ".html", ["text/markdown"] = ".md", ["text/plain"] = ".txt", ["text/x-python"] = ".py",
        ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"] = ".xlsx",
    };

    /// <summary>The last part of the name, without what is no part of a name; <c>file</c> with the media type's ending when nothing is left.</summary>
    public static string Safe(string? name, string? mediaType)
    {
        var last = (name ?? "").Split('/', '\\')[^1].Trim();
        var kept = new StringBuilder();
        foreach (var rune in last.EnumerateRunes())
        {
            if (!Rune.IsControl(rune) && rune != Rune.ReplacementChar && kept.Length < MaxLength)
            {
                kept.Append(rune);
            }
        }

        // A dot in front would hide it, and two would lead elsewhere.
        var safe = kept.ToString().TrimStart('.', ' ');
        return safe.Length > 0 ? safe : "file" + _endings.GetValueOrDefault(mediaType?.Split(';')[0].Trim() ?? "", "");
    }

    /// <summary>The name with a number before its ending; the first has none.</summary>
    public static string Numbered(string name, int number) =>
        number == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(name)}-{number}{Path.GetExtension(name)}");
}
