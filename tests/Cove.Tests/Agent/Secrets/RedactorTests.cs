using System.Net;
using System.Text;
using System.Text.Json;
using Cove.Agent.Secrets;
using Xunit;

namespace Cove.Tests.Agent.Secrets;

public sealed class RedactorTests
{
    private const string Value = "ghp_9f+8/e7D=6c\"5bA4&zZ~q é";

    public static TheoryData<string, string> Forms() => new()
    {
        { "plain", Value },
        { "percent-encoded", Uri.EscapeDataString(Value) },
        { "percent-encoded in lower case", Uri.EscapeDataString(Value).Replace("%2B", "%2b", StringComparison.Ordinal).Replace("%2F", "%2f", StringComparison.Ordinal).Replace("%3D", "%3d", StringComparison.Ordinal).Replace("%C3%A9", "%c3%a9", StringComparison.Ordinal) },
        { "every byte percent-encoded", string.Concat(Encoding.UTF8.GetBytes(Value).Select(b => $"%{b:x2}")) },
        { "a form", WebUtility.UrlEncode(Value) },
        { "HTML", WebUtility.HtmlEncode(Value) },
        { "JSON", JsonEncodedText.Encode(Value).Value },
        { "hexadecimal", Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Value)) },
        { "base64", Convert.ToBase64String(Encoding.UTF8.GetBytes(Value)) },
        { "base64 for URLs", Convert.ToBase64String(Encoding.UTF8.GetBytes(Value)).Replace('+', '-').Replace('/', '_').TrimEnd('=') },
        { "Basic credentials", Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + Value + "\n")) },
        { "base64 after one byte", Convert.ToBase64String(Encoding.UTF8.GetBytes("x" + Value + "yy")) },
        { "base64 after two bytes", Convert.ToBase64String(Encoding.UTF8.GetBytes("xx" + Value)) },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void It_is_found_however_it_is_written(string how, string written)
    {
        var redactor = new Redactor();
        redactor.Add(new Secret("TOKEN", Value));
        var redacted = redactor.Redact($"before {written} after");
        Assert.True(redacted.Contains("[redacted TOKEN]", StringComparison.Ordinal), $"{how}: {redacted}");
        Assert.StartsWith("before ", redacted, StringComparison.Ordinal);
        Assert.EndsWith(" after", redacted, StringComparison.Ordinal);

        // Of base64 at most the characters stay that hold a few bits of a neighbour.
        var left = redacted["before ".Length..^" after".Length].Replace("[redacted TOKEN]", "", StringComparison.Ordinal);
        Assert.True(left.Length <= 16, $"{how}: {left} is left");
    }

    public static TheoryData<string> Nested()
    {
        const string Token = "ghp_9f+8/e7D=6c\"5bA4&zZ~q \\x";
        var json = JsonSerializer.Serialize(JsonSerializer.Serialize(JsonSerializer.Serialize(Token)));
        var url = Uri.EscapeDataString(Uri.EscapeDataString(Uri.EscapeDataString(Token)));
        var html = WebUtility.HtmlEncode(WebUtility.HtmlEncode(Token));
        return [json[3..^3], url, html, JsonSerializer.Serialize(url), JsonSerializer.Serialize(html), Uri.EscapeDataString(html), string.Concat(Token.Select((c, i) => i % 2 == 0 ? $"\\u{(int)c:x4}" : $"%{(int)c:x2}")), string.Concat(Token.Select(c => $"&#{(int)c};")), string.Concat(Token.Select(c => $"&amp;#x{(int)c:X};"))];
    }

    [Theory]
    [MemberData(nameof(Nested))]
    public void It_is_found_escaped_several_times_over(string written)
    {
        var redactor = new Redactor();
        redactor.Add(new Secret("TOKEN", "ghp_9f+8/e7D=6c\"5bA4&zZ~q \\x"));
        var redacted = redactor.Redact($"[{written}]");
        Assert.Contains("[redacted TOKEN]", redacted, StringComparison.Ordinal);
        Assert.True(redacted.Length < 60, redacted);
    }

    [Fact]
    public void A_line_of_JSON_stays_one()
    {
        var redactor = new Redactor();
        redactor.Add(new Secret("TOKEN", "ab\"cd\\ef&gh"));
        var line = JsonSerializer.Serialize(new { a = "\\" + JsonSerializer.Serialize(new { b = "x\\ab\"cd\\ef&gh\n" }), c = "ab\"cd\\ef&gh" });
        var redacted = redactor.Redact(line);
        using var parsed = JsonDocument.Parse(redacted);
        Assert.Equal("[redacted TOKEN]", parsed.RootElement.GetProperty("c").GetString());
        Assert.DoesNotContain("cd", redacted, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_else_is_touched()
    {
        var redactor = new Redactor();
        Assert.Equal("text", redactor.Redact("text"));
        redactor.Add(new Secret("TOKEN", Value));
        Assert.Equal("ghp_9f+8 is a part", redactor.Redact("ghp_9f+8 is a part"));
    }

    [Fact]
    public void A_secret_that_holds_another_is_hidden_whole()
    {
        var redactor = new Redactor();
        redactor.Add(new Secret("INNER", "inner-value"));
        redactor.Add(new Secret("OUTER", "outer-inner-value-outer"));
        Assert.Equal("[redacted OUTER] [redacted INNER]", redactor.Redact("outer-inner-value-outer inner-value"));
    }
}
