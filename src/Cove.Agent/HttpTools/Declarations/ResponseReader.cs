using System.Globalization;
using Cove.Agent.HttpTools.Answers;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Declarations;

/// <summary>Reads what of an answer is told.</summary>
internal static class ResponseReader
{
    private const int MaximumFields = 100;
    private static readonly string[] _types = ["string", "integer", "number", "boolean", "object", "array"];

    private static readonly Dictionary<string, ToolErrorCategory> _categories = new()
    {
        ["input"] = ToolErrorCategory.Input,
        ["permission"] = ToolErrorCategory.Permission,
        ["not_found"] = ToolErrorCategory.NotFound,
        ["rate_limited"] = ToolErrorCategory.RateLimited,
        ["unavailable"] = ToolErrorCategory.Unavailable,
    };

    public static ResponseMapping Read(Fields? fields)
    {
        var missing = new ResponseMapping();
        if (fields is null)
        {
            return missing;
        }

        var isText = fields.Text("as", 10, "Give json or text.") switch
        {
            null or "json" => false,
            "text" => true,
            _ => throw fields.Wrong("as", fields.Find("as")!, "Give json or text."),
        };
        var error = fields.Map("error");
        var made = new ResponseMapping
        {
            IsText = isText,
            Success = Success(fields) ?? missing.Success,
            When = When(fields.Map("when")),
            Fields = [.. fields.Entries("fields", MaximumFields).Select(entry => Field(fields, entry))],
            MaximumBytes = fields.Whole("max_bytes", missing.MaximumBytes, 1024, 4 << 20, " bytes"),
            Messages = Messages(error) ?? missing.Messages,
            Code = error?.Find("code") is { } code ? ResponsePath.Read(fields.File, code, error.Full("code")) : null,
            Codes = error is null ? missing.Codes : error.Entries("codes", 200).ToDictionary(entry => entry.Key, entry => Category(error, entry)),
        };
        error?.End();
        fields.End();
        return !isText || (made.Fields.Count == 0 && made.When is null) ? made : throw fields.File.Bad(fields.Line, $"{fields.Path} is a text and has fields", "Leave out 'as: text', or 'fields' and 'when'.");
    }

    private static List<(int From, int To)>? Success(Fields fields)
    {
        if (fields.Find("success") is null)
        {
            return null;
        }

        return [.. fields.Items("success", 20).Select(node => Range((node as ScalarNode)?.Text) ?? throw fields.Wrong("success", node, "Give statuses: 201, 2xx, or a list of such."))];
    }

    private static (int From, int To)? Range(string? text) => text switch
    {
        [>= '1' and <= '5', 'x', 'x'] => ((text[0] - '0') * 100, (text[0] - '0') * 100 + 99),
        { Length: 3 } when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 200 and <= 599 => (status, status),
        _ => null,
    };

    private static ResponseCondition? When(Fields? fields)
    {
        if (fields is null)
        {
            return null;
        }

        var made = new ResponseCondition(ResponsePath.Read(fields.File, fields.Need("path", "Give a path: " + ResponsePath.Form + "."), fields.Full("path")), fields.Need("is", "Give the value it has after success.").ToJson());
        fields.End();
        return made;
    }

    private static ResponseField Field(Fields all, MapEntry entry)
    {
        var path = $"{all.Full("fields")}.{entry.Key}";
        if (entry.Key == "success")
        {
            throw all.File.Bad(entry.Line, $"{path} is the name of what every result has", "Give it another name.");
        }

        if (entry.Value is ScalarNode)
        {
            return new ResponseField(entry.Key, ResponsePath.Read(all.File, entry.Value, path), null, null);
        }

        var fields = Fields.Of(all.File, entry.Value, path);
        var type = fields.Text("type", 20, "Give one of " + string.Join(", ", _types) + ".");
        if (type is not null && !_types.Contains(type))
        {
            throw fields.Wrong("type", fields.Find("type")!, "Give one of " + string.Join(", ", _types) + ".");
        }

        var made = new ResponseField(entry.Key, ResponsePath.Read(all.File, fields.Need("path", "Give a path: " + ResponsePath.Form + "."), fields.Full("path")), type, fields.Text("description", 1000, "Say what it is, in at most 1,000 characters."));
        fields.End();
        return made;
    }

    private static List<ResponsePath>? Messages(Fields? error) =>
        error?.Find("message") is null ? null : [.. error.Items("message", 10).Select(node => ResponsePath.Read(error.File, node, error.Full("message")))];

    private static ToolErrorCategory Category(Fields error, MapEntry entry) => entry.Value is ScalarNode { Text: var text } && _categories.TryGetValue(text, out var category)
        ? category
        : throw error.File.Bad(entry.Line, $"{error.Full("codes")}.{Excerpts.Shown(entry.Key)} is '{Excerpts.Shown((entry.Value as ScalarNode)?.Text ?? entry.Value.Kind)}'", "Give one of " + string.Join(", ", _categories.Keys) + ".");
}
