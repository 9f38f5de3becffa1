using System.Text.Json.Serialization.Metadata;
using Cove.Engine.Runs;
using Cove.Wire;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>Every field of a run's request is checked, and the error names it.</summary>
public sealed class RunRulesTests
{
    public static TheoryData<string, RunRequest> Bad => new()
    {
        { "code, argv, shell_line", new RunRequest() },
        { "code, argv, shell_line", new RunRequest { Code = "1", ShellLine = "true" } },
        { "code", new RunRequest { Code = new string('a', 900_001) } },
        { "code", new RunRequest { Code = "\ud800" } },
        { "language", new RunRequest { Code = "1", Language = (Language)9 } },
        { "kernel", new RunRequest { Code = "1", Kernel = "Not A Name" } },
        { "kernel", new RunRequest { Code = "1", Kernel = new string('k', 41) } },
        { "kernel", new RunRequest { Argv = ["true"], Kernel = "python" } },
        { "timeout_ms", new RunRequest { Code = "1", Timeout = TimeSpan.FromMilliseconds(9) } },
        { "timeout_ms", new RunRequest { Code = "1", Timeout = TimeSpan.FromHours(25) } },
        { "id", new RunRequest { Code = "1", Id = new RunId("../x") } },
        { "working_directory", new RunRequest { Code = "1", WorkingDirectory = "/tmp" } },
        { "environment", new RunRequest { Code = "1", Environment = new Dictionary<string, string>() } },
        { "stdin_base64", new RunRequest { Code = "1", Stdin = new byte[1] } },
        { "argv", new RunRequest { Argv = [] } },
        { "argv", new RunRequest { Argv = [""] } },
        { "argv", new RunRequest { Argv = [.. Enumerable.Repeat("x", 1025)] } },
        { "argv", new RunRequest { Argv = [.. Enumerable.Repeat(new string('x', 100_000), 6)] } },
        { "argv[1]", new RunRequest { Argv = ["x", "a\0b"] } },
        { "argv[1]", new RunRequest { Argv = ["x", new string('x', 131_072)] } },
        { "shell_line", new RunRequest { ShellLine = "" } },
        { "shell_line", new RunRequest { ShellLine = "a\0" } },
        { "working_directory", new RunRequest { Argv = ["x"], WorkingDirectory = "relative" } },
        { "environment", new RunRequest { Argv = ["x"], Environment = new Dictionary<string, string> { ["1A"] = "" } } },
        { "environment.A", new RunRequest { Argv = ["x"], Environment = new Dictionary<string, string> { ["A"] = "\0" } } },
        { "stdin_base64", new RunRequest { Argv = ["x"], Stdin = new byte[(64 << 20) + 1] } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_field_is_named(string field, RunRequest request)
    {
        var error = RunRules.Check(request);
        Assert.Equal("invalid_request", error!.Code);
        Assert.Contains($"'{field}'", error.Message, StringComparison.Ordinal);
        Assert.StartsWith("Give ", error.Remediation, StringComparison.Ordinal);
        AssertOnTheWire(field, CoveJson.Wire.RunRequest);
    }

    /// <summary>Each name before a point or bracket is one that a request has over the wire.</summary>
    internal static void AssertOnTheWire(string field, JsonTypeInfo request)
    {
        var names = request.Properties.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        Assert.All(field.Split(", "), name => Assert.Contains(name.Split('.', '[')[0], names));
    }

    [Fact]
    public void What_is_within_its_bounds_is_accepted()
    {
        Assert.Null(RunRules.Check(new RunRequest { Code = new string('a', 900_000), Kernel = "k-1", Timeout = TimeSpan.FromMilliseconds(10) }));
        Assert.Null(RunRules.Check(new RunRequest { Argv = ["x", new string('x', 131_071)], WorkingDirectory = "/", Stdin = Array.Empty<byte>() }));
        Assert.Null(RunRules.Check(new RunRequest { ShellLine = "true" }));
    }
}
