using System.Text.Json;
using Cove.Cli.Commands;
using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Cli;

/// <summary>The audit log as an operator reads it.</summary>
[Collection("console")]
public sealed class AuditCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Data => Path.Combine(_directory.Path, "data");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Rows_are_printed_newest_last_by_project_age_and_number()
    {
        await using (var state = await StateStore.OpenAsync(new StateOptions { DataDirectory = Data }, NullLogger.Instance))
        {
            var now = TimeProvider.System.GetUtcNow();
            await state.Writer.AddAsync(AuditTable.Add(new AuditRow { At = now.AddDays(-2), Project = "alpha", Operation = "createSandbox", Status = 201 }));
            await state.Writer.AddAsync(AuditTable.Add(new AuditRow { At = now, Project = "alpha", Operation = "run", Status = 200, Outcome = "ok", Correlation = "order-17" }));
            await state.Writer.AddAsync(AuditTable.Add(new AuditRow { At = now, Operation = "authenticate", Status = 401, Outcome = "missing", Remote = "127.0.0.1" }));
            await state.Writer.FlushAsync();
        }

        Assert.Equal(["createSandbox", "run", "authenticate"], await OperationsAsync());
        Assert.Equal(["createSandbox", "run"], await OperationsAsync("--project", "alpha"));
        Assert.Equal(["run", "authenticate"], await OperationsAsync("--since", "24h"));
        Assert.Equal(["authenticate"], await OperationsAsync("--limit", "1"));
        Assert.Contains("order-17", (await RunAsync()).Split('\n')[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--limit", "0")]
    [InlineData("--since", "yesterday")]
    public async Task What_can_not_be_is_refused_with_the_fix(string option, string value) =>
        Assert.Equal("invalid_option", (await Assert.ThrowsAsync<CoveException>(() => RunAsync(option, value))).Error.Code);

    [Fact]
    public async Task Who_looks_in_a_wrong_place_is_told_so_and_leaves_nothing_there()
    {
        Assert.Equal("state_missing", (await Assert.ThrowsAsync<CoveException>(() => RunAsync())).Error.Code);
        Assert.False(Directory.Exists(Data));
    }

    private async Task<IEnumerable<string>> OperationsAsync(params string[] arguments) =>
        (await RunAsync([.. arguments, "--json"])).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("operation").GetString()!);

    private async Task<string> RunAsync(params string[] arguments)
    {
        var (before, output) = (Console.Out, new StringWriter());
        Console.SetOut(output);
        try
        {
            await AuditCommand.Create(TimeProvider.System).Parse([.. arguments, "--data", Data]).InvokeAsync(new System.CommandLine.InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = output });
        }
        finally
        {
            Console.SetOut(before);
        }

        return output.ToString();
    }
}
