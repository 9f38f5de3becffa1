namespace Cove.Agent.Tools.Sandbox;

/// <summary>Media types by a name's ending. A name is the guest's: the type says how to show a file, never what is in it.</summary>
internal static class MediaTypes
{
    private static readonly Dictionary<string, string> _byEnding = new(StringComparer.OrdinalIgnoreCase)
    {
        [".csv"] = "text/csv",
        [".gif"] = "image/gif",
        [".html"] = "text/html",
        [".jpeg"] = "image/jpeg",
        [".jpg"] = "image/jpeg",
        [".json"] = "application/json",
        [".jsonl"] = "application/x-ndjson",
        [".md"] = "text/markdown",
        [".pdf"] = "application/pdf",
        [".png"] = "image/png",
        [".py"] = "text/x-python",
        [".svg"] = "image/svg+xml",
        [".tsv"] = "text/tab-separated-values",
        [".txt"] = "text/plain",
        [".log"] = "text/plain",
        [".webp"] = "image/webp",
        [".xlsx"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        [".xml"] = "application/xml",
        [".yaml"] = "application/yaml",
        [".yml"] = "application/yaml",
        [".zip"] = "application/zip",
    };

    public static string Of(string path) => _byEnding.GetValueOrDefault(Path.GetExtension(path), "application/octet-stream");
}
