using System.Text.Json;

namespace Cove.Engine.Templates;

/// <summary>Reads the JSON of one template file, strictly: an unknown field, a doubled one or a bad value names the file, the field, the value and the fix.</summary>
internal sealed class TemplateReader(string file)
{
    private const int MaxItems = 1000;

    public Template Read(string name, JsonElement root)
    {
        var template = new Template { Name = name, Description = "" };
        foreach (var (field, value) in Fields("(file)", root))
        {
            template = field switch
            {
                "description" => template with { Description = Text(field, value, 500) },
                "preload" => template with { Preload = Texts(field, value, IsModule, "names of Python modules, such as matplotlib.pyplot") },
                "packages" => template with { Packages = Texts(field, value, IsModule, "importable names of Python packages, such as PIL") },
                "debian_packages" => template with { DebianPackages = Texts(field, value, IsDebianPackage, "names of Debian packages, such as ffmpeg") },
                "environment" => template with { Environment = Map(field, value, Names.IsVariable, "names of the form [A-Za-z_][A-Za-z0-9_]*") },
                "files" => template with { Files = Map(field, value, IsRelativePath, "paths relative to /opt/template, without empty parts, '.' and '..'") },
                "root" => template with { Root = AbsolutePath(field, value) },
                "limits" => template with { Limits = Limits(value) },
                "pool_size" => template with { PoolSize = (int)Number(field, value, 0, 1000) },
                "zygote_children" => template with { ZygoteChildren = (int)Number(field, value, 1, 1_000_000) },
                _ => throw Bad(field, null, "only the fields description, preload, environment, packages, debian_packages, files, root, limits, pool_size and zygote_children"),
            };
        }

        return template.Description.Length > 0 ? template : throw Bad("description", null, "a sentence that says what the template is for");
    }

    private SandboxLimits Limits(JsonElement value)
    {
        var limits = SandboxLimits.Default;
        foreach (var (field, item) in Fields("limits", value))
        {
            limits = field switch
            {
                "memory_bytes" => limits with { MemoryBytes = Limit(field, item, LimitRanges.Memory) },
                "cpu_millis" => limits with { CpuMillis = (int)Limit(field, item, LimitRanges.Cpu) },
                "pids" => limits with { Pids = (int)Limit(field, item, LimitRanges.Pids) },
                "disk_bytes" => limits with { DiskBytes = Limit(field, item, LimitRanges.Disk) },
                "inodes" => limits with { Inodes = Limit(field, item, LimitRanges.Inodes) },
                "open_files" => limits with { OpenFiles = (int)Limit(field, item, LimitRanges.OpenFiles) },
                _ => throw Bad("limits." + field, null, "only memory_bytes, cpu_millis, pids, disk_bytes, inodes and open_files"),
            };
        }

        return LimitRanges.WithDiskInMemory(limits);
    }

    private long Limit(string field, JsonElement value, LimitRange range) => Number("limits." + field, value, range.Minimum, range.Maximum);

    private List<(string Name, JsonElement Value)> Fields(string owner, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Bad(owner, element, "a JSON object");
        }

        var seen = new HashSet<string>();
        var fields = new List<(string, JsonElement)>();
        foreach (var property in element.EnumerateObject())
        {
            if (!seen.Add(property.Name) || seen.Count > MaxItems)
            {
                throw Bad(property.Name, null, $"every field once, and at most {MaxItems:N0}");
            }

            fields.Add((property.Name, property.Value));
        }

        return fields;
    }

    private string Text(string field, JsonElement value, int maxChars) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text && text.Length <= maxChars && !text.Contains('\0')
            ? text
            : throw Bad(field, value, $"a text of 1 to {maxChars} characters");

    private List<string> Texts(string field, JsonElement value, Func<string, bool> accepts, string fix)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MaxItems)
        {
            throw Bad(field, value, $"an array of at most {MaxItems:N0} {fix}");
        }

        var all = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            all.Add(item.ValueKind == JsonValueKind.String && item.GetString() is { } text && accepts(text) ? text : throw Bad(field, item, fix));
        }

        return all;
    }

    private Dictionary<string, string> Map(string field, JsonElement value, Func<string, bool> acceptsName, string fix)
    {
        var all = new Dictionary<string, string>();
        foreach (var (name, item) in Fields(field, value))
        {
            if (!acceptsName(name))
            {
                throw Refusals.InvalidTemplate(file, field, name, fix);
            }

            all[name] = item.ValueKind == JsonValueKind.String && item.GetString() is { } text && !text.Contains('\0')
                ? text
                : throw Bad($"{field}.{name}", item, "a text without NUL");
        }

        return all;
    }

    private string AbsolutePath(string field, JsonElement value) =>
        Path.IsPathFullyQualified(Text(field, value, 4096)) ? value.GetString()! : throw Bad(field, value, "an absolute path on the host");

    private long Number(string field, JsonElement value, long minimum, long maximum) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= minimum && number <= maximum
            ? number
            : throw Bad(field, value, $"a whole number from {minimum:N0} to {maximum:N0}");

    private CoveException Bad(string field, JsonElement? value, string fix) => Refusals.InvalidTemplate(file, field, value?.GetRawText(), fix);

    private static bool IsModule(string text) =>
        text.Length is > 0 and <= 200 && text.Split('.').All(part => part.Length > 0 && Names.IsVariable(part));

    private static bool IsDebianPackage(string text) =>
        text.Length is > 1 and <= 200 && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '+' or '-' or '.');

    private static bool IsRelativePath(string text) =>
        text.Length is > 0 and <= 4096 && !text.Contains('\0') && !text.Split('/').Any(part => part is "" or "." or ".." || part.Length > 255);
}
