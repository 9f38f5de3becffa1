using System.Text.RegularExpressions;
using Cove.ScriptedModel.Playing;

namespace Cove.ScriptedModel.Scripts;

/// <summary>What must hold: all of its checks.</summary>
internal sealed record Condition(int Line, IReadOnlyList<Check> Checks)
{
    /// <summary>Why it does not hold; null when it does.</summary>
    public (Check Check, string Why)? Fails(Situation situation)
    {
        foreach (var check in Checks)
        {
            if (check.Fails(situation) is { } why)
            {
                return (check, why);
            }
        }

        return null;
    }
}

/// <summary>One thing that must hold.</summary>
internal abstract record Check(int Line)
{
    /// <summary>Why it does not hold; null when it does.</summary>
    public abstract string? Fails(Situation situation);
}

/// <summary>A text must be so: contain, lack, match, equal.</summary>
internal sealed record TextCheck(int Line, Source Source, TextTest Test, string Operand, Regex? Pattern) : Check(Line)
{
    public override string? Fails(Situation situation)
    {
        var found = Source.Find(situation, out var missing);
        if (found is null)
        {
            return Test == TextTest.Lacks ? null : missing;
        }

        var holds = Test switch
        {
            TextTest.Contains => found.Contains(Operand, StringComparison.Ordinal),
            TextTest.Lacks => !found.Contains(Operand, StringComparison.Ordinal),
            TextTest.Equals => string.Equals(found, Operand, StringComparison.Ordinal),
            _ => Pattern!.IsMatch(found),
        };
        return holds ? null : $"{Source} {Says} \"{Operand}\"; it is: {Excerpt.Of(found)}";
    }

    private string Says => Test switch { TextTest.Contains => "should contain", TextTest.Lacks => "should not contain", TextTest.Equals => "should equal", _ => "should match" };
}

internal enum TextTest
{
    Contains,
    Lacks,
    Matches,
    Equals,
}

/// <summary>The results must be failures, or none of them may be.</summary>
internal sealed record ErrorCheck(int Line, string? Of, bool Expected) : Check(Line)
{
    public override string? Fails(Situation situation)
    {
        var results = situation.Of(Of);
        if (results.Count == 0)
        {
            return Of is null ? "no tool result came" : $"no result of the call {Of} came";
        }

        return results.Any(r => r.IsError) == Expected ? null : $"is_error should be {(Expected ? "true" : "false")}; the result is: {Excerpt.Of(Source.TextOf(results))}";
    }
}

/// <summary>A result must hold a picture, or none.</summary>
internal sealed record ImageCheck(int Line, string? Of, bool Expected) : Check(Line)
{
    public override string? Fails(Situation situation) =>
        situation.Of(Of).Any(r => r.HasImage) == Expected ? null : Expected ? "no tool result holds a picture" : "a tool result holds a picture";
}

/// <summary>The request must offer a tool, or must not.</summary>
internal sealed record ToolCheck(int Line, string Tool, bool Offered) : Check(Line)
{
    public override string? Fails(Situation situation) =>
        situation.Callable(Tool) == Offered ? null : $"the request should {(Offered ? "" : "not ")}let {Tool} be called; it lets: {situation.CallableNames}";
}

/// <summary>The request must let tools be called, or none.</summary>
internal sealed record AnyToolCheck(int Line, bool Offered) : Check(Line)
{
    public override string? Fails(Situation situation) =>
        situation.AnyCallable == Offered ? null : $"the request should let {(Offered ? "a tool" : "no tool")} be called; it lets: {situation.CallableNames}";
}

/// <summary>The beginning of something long, for a message.</summary>
internal static class Excerpt
{
    private const int Length = 400;

    public static string Of(string text) => text.Length <= Length ? text : string.Concat(text.AsSpan(0, Length), "…");
}
