using Cove.Agent.Models;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Agent.Models;

public sealed class ModelKeyTests
{
    [Fact]
    public void The_key_comes_before_the_token_and_nothing_is_null()
    {
        var both = new Dictionary<string, string> { ["ANTHROPIC_API_KEY"] = "key-1234", ["ANTHROPIC_AUTH_TOKEN"] = "token-1234" };

        Assert.Equal(("key-1234", null), (ModelKey.Find(null, both.GetValueOrDefault)!.ApiKey, ModelKey.Find(null, both.GetValueOrDefault)!.AuthToken));
        both.Remove("ANTHROPIC_API_KEY");
        Assert.Equal("token-1234", ModelKey.Find(null, both.GetValueOrDefault)!.AuthToken);
        both.Clear();
        Assert.Null(ModelKey.Find(null, both.GetValueOrDefault));
    }

    [Fact]
    public void The_environment_may_name_the_file_and_an_option_comes_first()
    {
        using var place = new TemporaryDirectory();
        string Write(string name)
        {
            var path = Path.Combine(place.Path, name);
            File.WriteAllText(path, "key-of-" + name);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return path;
        }

        var environment = new Dictionary<string, string> { ["COVE_MODEL_KEY_FILE"] = Write("variable"), ["ANTHROPIC_API_KEY"] = "key-1234" };

        Assert.Equal("key-of-variable", ModelKey.Find(null, environment.GetValueOrDefault)!.ApiKey);
        Assert.Equal("key-of-option", ModelKey.Find(Write("option"), environment.GetValueOrDefault)!.ApiKey);
        environment["COVE_MODEL_KEY_FILE"] = Path.Combine(place.Path, "nothing");
        Assert.StartsWith($"The key file {place.Path}/nothing can't be used: it is not there.", Assert.Throws<CoveException>(() => ModelKey.Find(null, environment.GetValueOrDefault)).Message, StringComparison.Ordinal);
        environment["COVE_MODEL_KEY_FILE"] = "";
        Assert.Equal("key-1234", ModelKey.Find(null, environment.GetValueOrDefault)!.ApiKey);
    }

    [Fact]
    public void A_key_file_is_its_owners_alone()
    {
        using var place = new TemporaryDirectory();
        var path = Path.Combine(place.Path, "key");
        File.WriteAllText(path, "key-from-file\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        Assert.Equal("key-from-file", ModelKey.Find(path, _ => null)!.ApiKey);

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var refused = Assert.Throws<CoveException>(() => ModelKey.Find(path, _ => null));
        Assert.Contains("chmod 600", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("key-from-file", refused.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("line\r\nX-Evil: 1")]
    [InlineData("schlüssel")]
    public void What_can_be_no_key_is_refused_without_showing_it(string value)
    {
        var refused = Assert.Throws<CoveException>(() => ModelKey.Find(null, name => name == "ANTHROPIC_API_KEY" ? value : null));

        Assert.Contains("ANTHROPIC_API_KEY", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value, refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_is_not_printed() => Assert.DoesNotContain("key-1234", new ModelKey("key-1234", null).ToString(), StringComparison.Ordinal);
}
