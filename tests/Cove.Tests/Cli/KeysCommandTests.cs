using System.Text.Json;
using Cove.Cli.Commands;
using Cove.Server.Access;
using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Cli;

/// <summary>The verbs that make, show and revoke keys, on a database of their own.</summary>
[Collection("console")]
public sealed class KeysCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Data => Path.Combine(_directory.Path, "data");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_key_is_made_shown_once_listed_without_its_secret_and_revoked()
    {
        using var made = JsonDocument.Parse(await RunAsync("create", "--project", "alpha", "--name", "ci", "--scope", "read", "--expires", "30d", "--json", "--data", Data));
        var text = made.RootElement.GetProperty("key").GetString()!;
        Assert.True(ApiKey.TryParse(text, out var key));
        Assert.Equal(["read"], made.RootElement.GetProperty("scopes").EnumerateArray().Select(s => s.GetString()));

        var listed = await RunAsync("list", "--json", "--data", Data);
        Assert.Contains($"\"id\":\"{key.Id}\"", listed, StringComparison.Ordinal);
        Assert.Contains("\"status\":\"active\"", listed, StringComparison.Ordinal);
        Assert.DoesNotContain(text[^32..], listed, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Hash, listed, StringComparison.Ordinal);

        Assert.Contains("revoked", await RunAsync("revoke", key.Id, "--data", Data), StringComparison.Ordinal);
        Assert.Contains("\"status\":\"revoked\"", await RunAsync("list", "--project", "alpha", "--json", "--data", Data), StringComparison.Ordinal);
        await using var state = await StateStore.OpenAsync(new StateOptions { DataDirectory = Data }, NullLogger.Instance);
        Assert.NotNull((await state.Keys.FindAsync(key.Id))!.RevokedAt);
    }

    [Theory]
    [InlineData(new string[0], "read", "write")]
    [InlineData(new[] { "--scope", "read", "--scope", "tools" }, "read", "tools")]
    [InlineData(new[] { "--scope", "read,write,tools" }, "read", "write", "tools")]
    public async Task A_key_may_call_declared_tools_only_when_that_was_asked_for(string[] asked, params string[] scopes)
    {
        using var made = JsonDocument.Parse(await RunAsync(["create", .. asked, "--json", "--data", Data]));
        Assert.Equal(scopes, made.RootElement.GetProperty("scopes").EnumerateArray().Select(s => s.GetString()));
    }

    [Theory]
    [InlineData("create", "--project", "Not A Name")]
    [InlineData("create", "--scope", "all")]
    [InlineData("create", "--expires", "soon")]
    [InlineData("revoke", "nokeyyet")]
    public async Task What_can_not_be_is_refused_with_the_fix(params string[] arguments)
    {
        var failure = await Assert.ThrowsAsync<CoveException>(() => RunAsync([.. arguments, "--data", Data]));
        Assert.NotEmpty(failure.Error.Remediation);
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        var (before, output) = (Console.Out, new StringWriter());
        Console.SetOut(output);
        try
        {
            await KeysCommand.Create(TimeProvider.System).Parse(arguments).InvokeAsync(new System.CommandLine.InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = output });
        }
        finally
        {
            Console.SetOut(before);
        }

        return output.ToString();
    }
}
