namespace Cove.Server.Settings;

/// <summary>One thing that can be set, wherever it is set. The flags, the environment, the configuration file, the error messages and the documentation's table come from this.</summary>
/// <param name="Key">Its name in the configuration file.</param>
/// <param name="Description">What it does, in a sentence.</param>
/// <param name="Default">The default, as it would be written.</param>
/// <param name="Range">What is acceptable.</param>
/// <param name="Apply">Puts a value into the options; null when it is not acceptable.</param>
internal sealed record Setting(string Key, string Description, string Default, string Range, Func<ServerOptions, SettingValue, ServerOptions?> Apply)
{
    /// <summary>Its environment variables; the first that is set and not empty counts.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Its flag; null for what must not stand on a command line, which every user of the machine can read.</summary>
    public string? Flag { get; init; }

    /// <summary>Whether its flag needs no value.</summary>
    public bool IsSwitch { get; init; }

    /// <summary>Whether its value must never be shown.</summary>
    public bool IsSecret { get; init; }

    /// <summary>Whether it is a list, which is written with commas or as a JSON array.</summary>
    public bool IsList { get; init; }
}

/// <summary>A value and where it came from.</summary>
/// <param name="Text">As it was written.</param>
/// <param name="Source">For errors, for example <c>the environment variable COVE_URLS</c>.</param>
/// <param name="IsFlag">Whether it stood on the command line: paths there may be relative to where the user is.</param>
internal sealed record SettingValue(string Text, string Source, bool IsFlag = false)
{
    /// <summary>Its parts, when it is a list.</summary>
    public IReadOnlyList<string> Items => Text.Split([',', ';'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
