namespace Cove.Engine.ToolCalls;

/// <summary>What tools are called in Python.</summary>
internal static class PythonNames
{
    private static readonly HashSet<string> _keywords =
    [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally",
        "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];

    /// <summary>The identifier for a tool's name: <c>get-weather</c> is <c>get_weather</c>, <c>import</c> is <c>import_</c>.</summary>
    public static string Of(string name)
    {
        var identifier = name.Replace('-', '_');
        return _keywords.Contains(identifier) ? identifier + "_" : identifier;
    }
}
