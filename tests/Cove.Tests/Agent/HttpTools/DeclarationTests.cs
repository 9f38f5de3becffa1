using System.Text;
using Cove.Agent.HttpTools;
using Cove.Agent.Secrets;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Agent.HttpTools;

public sealed class DeclarationTests : IDisposable
{
    private const string Sound = """
        tools:
          - name: it
            description: Does it.
            input_schema:
              type: object
              properties:
                repo: {type: string, pattern: ^a/b$}
                count: {type: integer}
                list: {type: array, items: {type: string}}
              required: [repo]
            method: POST
            url: https://api.example.com/repos/{+repo}/issues
            headers:
              Accept: application/json
            body:
              title: "{repo}"
        """;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_sound_one_is_read()
    {
        using var set = Load(Sound);
        Assert.Equal("it", Assert.Single(set).Name);
        Assert.Equal("Does it.", set[0].Description);
        Assert.False(set[0].JsonSchema.GetProperty("additionalProperties").GetBoolean());
        Assert.Equal("^a/b$", set[0].JsonSchema.GetProperty("properties").GetProperty("repo").GetProperty("pattern").GetString());
    }

    [Fact]
    public void JSON_says_the_same()
    {
        using var set = Load("""{"tools":[{"name":"it","description":"Does \ud83d\ude00 it.","input_schema":{"type":"object","properties":{"n":{"type":"integer","default":5}}},"method":"GET","url":"https:\/\/api.example.com/x","query":{"n":"{n}"},"retry":{"max":0}}]}""", ".json");
        Assert.Equal("Does 😀 it.", set[0].Description);
        Assert.Equal(5, set[0].JsonSchema.GetProperty("properties").GetProperty("n").GetProperty("default").GetInt32());
    }

    /// <summary>What is replaced in the sound one, by what, and what the error names: the line, and a word of it.</summary>
    [Theory]
    [InlineData("description: Does it.", "descripton: Does it.", 2, "description is missing")]
    [InlineData("    method: POST", "    method: POST\n    retries: 3", 12, "tools.0.retries is not known")]
    [InlineData("method: POST", "method: FETCH", 11, "'FETCH'")]
    [InlineData("name: it", "name: it is", 2, "'it is'")]
    [InlineData("name: it", "name: 12", 2, "a number")]
    [InlineData("url: https://", "url: http://", 12, "without TLS")]
    [InlineData("url: https://", "url: ftp://", 12, "can't be used")]
    [InlineData("https://api.example.com/repos", "https://user:pw@api.example.com/repos", 12, "can't be used")]
    [InlineData("https://api.example.com/", "https://{repo}.example.com/", 12, "literal host")]
    [InlineData("https://api.example.com/repos", "https://api.example.com:{count}/repos", 12, "literal host")]
    [InlineData("/issues", "/issues?a=1", 12, "'?'")]
    [InlineData("/issues", "/../issues", 12, "'..'")]
    [InlineData("/issues", "/%2e%2e/issues", 12, "'..'")]
    [InlineData("/issues", "/${secret:TOKEN}", 12, "holds a secret")]
    [InlineData("{+repo}", "{repository}", 12, "{repository}")]
    [InlineData("{+repo}", "{count}", 12, "required")]
    [InlineData("{+repo}", "{list}", 12, "{list}")]
    [InlineData("pattern: ^a/b$", "minLength: 1", 12, "has no pattern")]
    [InlineData("pattern: ^a/b$", "pattern: '(?=a)'", 7, "linear time")]
    [InlineData("pattern: ^a/b$", "pattern: '('", 7, "linear time")]
    [InlineData("pattern: ^a/b$", "patern: ^a/b$", 7, "patern")]
    [InlineData("{type: integer}", "{$ref: 'file:///etc/passwd'}", 8, "$ref")]
    [InlineData("{type: integer}", "{type: int}", 8, "'int'")]
    [InlineData("{type: integer}", "{type: integer, if: {}}", 8, "not enforced")]
    [InlineData("{type: integer}", "{type: integer, minimum: a}", 8, "minimum")]
    [InlineData("required: [repo]", "required: [repository]", 10, "'repository'")]
    [InlineData("      type: object", "      type: array", 5, "not 'object'")]
    [InlineData("Accept: application/json", "Host: example.com", 14, "'Host'")]
    [InlineData("Accept: application/json", "Content-Length: 5", 14, "'Content-Length'")]
    [InlineData("Accept: application/json", "'X: Y': 5", 14, "'X: Y'")]
    [InlineData("Accept: application/json", "Authorization: Bearer abc", 14, "no secret")]
    [InlineData("Accept: application/json", "Authorization: Bearer {repo}", 14, "no secret")]
    [InlineData("Accept: application/json", "X-A: '{list}'", 14, "{list}")]
    [InlineData("Accept: application/json", "X-A: '{nothing}'", 14, "{nothing}")]
    [InlineData("Accept: application/json", "X-A: '{'", 14, "brace")]
    [InlineData("Accept: application/json", "X-A: '${secret:A B}'", 14, "'A B'")]
    [InlineData("title: \"{repo}\"", "title: \"{other}\"", 16, "{other}")]
    [InlineData("    method: POST", "    method: POST\n    timeout: {per_try_seconds: 0}", 12, "0.05 to 120 seconds")]
    [InlineData("    method: POST", "    method: POST\n    timeout: {per_try: 5}", 12, "per_try is not known")]
    [InlineData("    method: POST", "    method: POST\n    retry: {max: 11}", 12, "'11'")]
    [InlineData("    method: POST", "    method: POST\n    retry: {post: always}", 12, "never or on_connect_failure")]
    [InlineData("    method: POST", "    method: POST\n    route: /../etc", 12, "'/../etc'")]
    [InlineData("    method: POST", "    method: POST\n    route: /one", 12, "2 to 6 segments")]
    [InlineData("    method: POST", "    method: POST\n    response: {fields: {a: ''}}", 12, "a path")]
    [InlineData("    method: POST", "    method: POST\n    response: {success: 99}", 12, "'99'")]
    [InlineData("    method: POST", "    method: POST\n    response: {error: {codes: {a: b}}}", 12, "'b'")]
    [InlineData("    method: POST", "    method: POST\n    method: GET", 12, "twice")]
    [InlineData("    method: POST", "    method: GET", 16, "the method is GET")]
    public void What_is_wrong_is_refused_with_line_and_fix(string part, string instead, int line, string named)
    {
        Assert.Contains(part, Sound, StringComparison.Ordinal);
        var failure = Assert.Throws<CoveException>(() => Load(Sound.Replace(part, instead, StringComparison.Ordinal)));
        Assert.Equal("invalid_tool_file", failure.Error.Code);
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
        Assert.Contains($"tools.yaml, line {line}: ", failure.Message, StringComparison.Ordinal);
        Assert.NotEmpty(failure.Error.Remediation);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("tools: []", "0 items")]
    [InlineData("- a", "a list")]
    [InlineData("tools: 5", "no list")]
    [InlineData("a: &x [1]\ntools: *x", "anchor")]
    [InlineData("tools: !!binary aGk=", "tag")]
    [InlineData("tools: [", "no YAML")]
    [InlineData("tools: []\n---\ntools: []", "second document")]
    public void A_file_that_is_none_is_refused(string text, string named) =>
        Assert.Contains(named, Assert.Throws<CoveException>(() => Load(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Bombs_are_refused()
    {
        var laughs = new StringBuilder("a0: &a0 [x]\n");
        for (var i = 1; i < 30; i++)
        {
            laughs.Append($"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n");
        }

        Assert.Contains("anchor", Assert.Throws<CoveException>(() => Load(laughs.ToString())).Message, StringComparison.Ordinal);
        Assert.Contains("nested", Assert.Throws<CoveException>(() => Load(string.Concat(Enumerable.Repeat("[", 5000)))).Message, StringComparison.Ordinal);
        Assert.Contains("nested", Assert.Throws<CoveException>(() => Load(string.Concat(Enumerable.Range(0, 100).Select(i => new string(' ', i) + "a:\n")))).Message, StringComparison.Ordinal);
        Assert.Contains("20000 values", Assert.Throws<CoveException>(() => Load("tools: [" + string.Concat(Enumerable.Repeat("1,", 30_000)) + "]")).Message, StringComparison.Ordinal);
        Assert.Contains("longer than", Assert.Throws<CoveException>(() => Load(new string(' ', 2 << 20))).Message, StringComparison.Ordinal);
        Assert.Throws<CoveException>(() => Load(string.Concat(Enumerable.Repeat("[", 5000)), ".json"));
    }

    [Fact]
    public void Two_tools_of_one_name_or_route_are_refused()
    {
        var second = Sound[Sound.IndexOf("  - name", StringComparison.Ordinal)..];
        Assert.Contains("'it'", Assert.Throws<CoveException>(() => Load(Sound + "\n" + second)).Message, StringComparison.Ordinal);
        var one = Write(Sound, ".yaml");
        var other = Path.Combine(_directory.Path, "other.yaml");
        File.Copy(one, other);
        Assert.Contains(one, Assert.Throws<CoveException>(() => HttpToolset.Load([one, other], new SecretStore())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_secret_is_noticed_when_it_is_asked_for()
    {
        using var set = Load(Sound.Replace("Accept: application/json", "Authorization: Bearer ${secret:NOT_THERE}", StringComparison.Ordinal));
        Assert.Contains("NOT_THERE", (await Assert.ThrowsAsync<CoveException>(() => set.CheckSecretsAsync(TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
    }

    private HttpToolset Load(string text, string extension = ".yaml") => HttpToolset.Load(Write(text, extension), new SecretStore(new EnvironmentSecrets(_ => null)));

    private string Write(string text, string extension)
    {
        var path = Path.Combine(_directory.Path, "tools" + extension);
        File.WriteAllText(path, text);
        return path;
    }
}
