using System.Text;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Declarations;

/// <summary>A declaration file: its name, for errors, and its bounds. Whoever writes one is trusted with what it does, not with being careful.</summary>
internal sealed class SourceFile(string path)
{
    /// <summary>The largest file.</summary>
    public const int MaximumBytes = 1 << 20;

    /// <summary>How deep values may be nested.</summary>
    public const int MaximumDepth = 32;

    private const int MaximumNodes = 20_000;
    private const int MaximumKey = 200;
    private int _nodes;

    public string Path => path;

    /// <summary>Reads a YAML or JSON file, by its name.</summary>
    public static (SourceFile File, Node Root) Read(string path)
    {
        var file = new SourceFile(System.IO.Path.GetFullPath(path));
        var text = file.ReadText();
        var root = System.IO.Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".yaml" or ".yml" => YamlNodes.Read(file, text),
            ".json" => JsonNodes.Read(file, text),
            var other => throw file.Bad(1, $"its name ends in '{other}'", "Name it .yaml, .yml or .json."),
        };
        return (file, root);
    }

    /// <summary>Counts a value that was read, so that no file can grow without bound.</summary>
    public void Count(int depth, int line)
    {
        if (depth > MaximumDepth)
        {
            throw Bad(line, $"values are nested deeper than {MaximumDepth}", "Nest less.");
        }

        if (++_nodes > MaximumNodes)
        {
            throw Bad(line, $"it has more than {MaximumNodes} values", "Split it into several files.");
        }
    }

    /// <summary>Checks a mapping's key against those before it.</summary>
    public void CheckKey(HashSet<string> keys, string key, int line)
    {
        if (key.Length is 0 or > MaximumKey)
        {
            throw Bad(line, $"a key has {key.Length} characters", $"Give it 1 to {MaximumKey}.");
        }

        if (!keys.Add(key))
        {
            throw Bad(line, $"the key '{Excerpts.Shown(key)}' is there twice", "Keep one of the two.");
        }
    }

    /// <summary>What is wrong, where, and what to do about it.</summary>
    public CoveException Bad(int line, string what, string fix) => new(new RunError
    {
        Code = "invalid_tool_file",
        Category = ErrorCategory.Request,
        Retryable = false,
        Message = $"{path}, line {line}: {what.TrimEnd('.')}.",
        Remediation = fix,
    });

    private string ReadText()
    {
        try
        {
            if (new FileInfo(path) is { Exists: false } or { Length: > MaximumBytes })
            {
                throw Bad(1, File.Exists(path) ? $"it is longer than {MaximumBytes} bytes" : "there is no such file", "Name a YAML or JSON file that declares tools.");
            }

            using var stream = File.OpenRead(path);
            var bytes = new byte[MaximumBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MaximumBytes)
            {
                throw Bad(1, $"it is longer than {MaximumBytes} bytes", "Split it into several files.");
            }

            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length).TrimStart('\uFEFF');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Bad(1, "it can't be read: " + failure.Message, "Name a file that this user can read.");
        }
        catch (DecoderFallbackException)
        {
            throw Bad(1, "it is not UTF-8", "Write it as UTF-8.");
        }
    }
}
