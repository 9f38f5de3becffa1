using Cove.Agent.Secrets;
using Xunit;

namespace Cove.Tests.Agent.Secrets;

public sealed class SecretStoreTests
{
    [Fact]
    public async Task The_nearest_source_wins_and_what_was_given_out_is_hidden()
    {
        var store = new SecretStore(Of(("ONE", "first-value-1")), Of(("ONE", "second-value-1"), ("TWO", "second-value-2")));
        Assert.Equal("first-value-1", (await store.GetAsync("ONE")).Reveal());
        Assert.Equal("[redacted ONE] second-value-2", store.Redactor.Redact("first-value-1 second-value-2"));
        Assert.Equal("second-value-2", (await store.GetAsync("TWO")).Reveal());
        Assert.Equal("[redacted ONE] [redacted TWO]", store.Redactor.Redact("first-value-1 second-value-2"));
    }

    [Fact]
    public async Task A_missing_one_is_named_with_where_it_was_looked_for()
    {
        var failure = await Assert.ThrowsAsync<CoveException>(async () => await new SecretStore(Of()).GetAsync("NONE"));
        Assert.Equal("secret_missing", failure.Error.Code);
        Assert.Contains("NONE was looked for in the environment", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("A-B")]
    [InlineData("")]
    [InlineData("1A")]
    [InlineData("A B")]
    public async Task A_name_is_a_name(string name) =>
        Assert.Equal("invalid_secret_name", (await Assert.ThrowsAsync<CoveException>(async () => await new SecretStore(Of()).GetAsync(name))).Error.Code);

    [Theory]
    [InlineData("short")]
    [InlineData("with\nline end")]
    public async Task An_unusable_value_is_refused_and_not_shown(string value)
    {
        var failure = await Assert.ThrowsAsync<CoveException>(async () => await new SecretStore(Of(("ONE", value))).GetAsync("ONE"));
        Assert.Equal("unusable_secret", failure.Error.Code);
        Assert.DoesNotContain(value, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secrets_text_is_its_name() => Assert.Equal("[secret ONE] [secret ONE]", $"{new Secret("ONE", "value-value")} {(object)new Secret("ONE", "value-value")}");

    private static EnvironmentSecrets Of(params (string Name, string Value)[] values) =>
        new(name => values.FirstOrDefault(value => value.Name == name).Value);
}
