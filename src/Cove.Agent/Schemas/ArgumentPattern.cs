using System.Text.RegularExpressions;
using Newtonsoft.Json.Linq;
using NJsonSchema.Validation;
using NJsonSchema.Validation.FormatValidators;

namespace Cove.Agent.Schemas;

/// <summary>A pattern of a schema.</summary>
/// <param name="Format">The format that stands for it where the validator sees the schema.</param>
/// <param name="Text">As its author wrote it.</param>
/// <param name="Regex">As it is matched.</param>
internal sealed record ArgumentPattern(string Format, string Text, Regex Regex);

/// <summary>What the patterns took so far for the arguments of one call: a list of many texts, each of them bounded, would have no bound.</summary>
internal sealed class PatternTime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);
    private TimeSpan _spent;

    /// <exception cref="TimeoutException">This pattern, or the patterns of this call together, take too long.</exception>
    public bool IsMatch(Regex regex, string value)
    {
        if (_spent > _patience)
        {
            throw new TimeoutException();
        }

        var begun = TimeProvider.System.GetTimestamp();
        try
        {
            return regex.IsMatch(value);
        }
        catch (RegexMatchTimeoutException)
        {
            throw new TimeoutException(); // not "no match", which would satisfy a schema that forbids the pattern
        }
        finally
        {
            _spent += TimeProvider.System.GetElapsedTime(begun);
        }
    }
}

/// <summary>A pattern in the only shape in which the validator takes a matcher of somebody else's.</summary>
internal sealed class PatternCheck(ArgumentPattern pattern, PatternTime time) : IFormatValidator
{
    public string Format => pattern.Format;

    public ValidationErrorKind ValidationErrorKind => ValidationErrorKind.PatternMismatch;

    public bool IsValid(string value, JTokenType tokenType) => tokenType != JTokenType.String || time.IsMatch(pattern.Regex, value);
}
