using System.Text.Json;

namespace Cove.Agent.Tools;

/// <summary>The input of one call, read strictly: what a model got wrong is said by field, value and fix.</summary>
internal readonly struct ToolArguments(JsonElement input)
{
    public string Text(string name) => OptionalText(name) ?? throw new ToolInputException($"The field '{name}' is missing.", $"Give '{name}' as a string.");

    public string? OptionalText(string name)
    {
        if (!TryGet(name, out var value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            throw Wrong(name, value, "a string");
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            throw Wrong(name, value, "a string of whole characters (it holds half of a surrogate pair)");
        }
    }

    public int? OptionalInteger(string name) => !TryGet(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number
        : throw Wrong(name, value, "a whole number");

    /// <summary>Seconds: a number above 0, whole or not.</summary>
    public double? OptionalSeconds(string name) => !TryGet(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) && number > 0 ? number
        : throw Wrong(name, value, "a number of seconds above 0");

    public bool? OptionalFlag(string name) => !TryGet(name, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, value, "true or false"),
    };

    /// <summary>A pair of whole numbers, such as a range of lines.</summary>
    public (int First, int Last)? OptionalRange(string name)
    {
        if (!TryGet(name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 2 && Whole(value[0], out var first) && Whole(value[1], out var last)
            ? (first, last)
            : throw Wrong(name, value, "an array of two whole numbers");
    }

    private static bool Whole(JsonElement value, out int number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out number);
    }

    private bool TryGet(string name, out JsonElement value)
    {
        if (input.ValueKind != JsonValueKind.Object)
        {
            throw new ToolInputException("The input is no JSON object.", "Give an object with the tool's fields.");
        }

        return input.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
    }

    private static ToolInputException Wrong(string name, JsonElement value, string expected)
    {
        var said = System.Text.Encoding.UTF8.GetString(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value));
        return new($"The field '{name}' is {Excerpts.Short(said, 100)}.", $"Give '{name}' as {expected}.");
    }
}

/// <summary>An input that a tool cannot take; the model is told how to mend it.</summary>
internal sealed class ToolInputException(string message, string remediation) : Exception(message)
{
    public string Remediation { get; } = remediation;
}
