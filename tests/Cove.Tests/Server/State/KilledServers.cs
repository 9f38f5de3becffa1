using System.Diagnostics;
using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Server.State;

/// <summary>A server that is killed in the middle of writing leaves a database that opens, and every sandbox accounted for.</summary>
public sealed class KilledServers
{
    [Fact]
    public async Task What_lived_under_a_killed_server_is_marked_as_lost_by_the_next()
    {
        using var directory = new TemporaryDirectory();
        var options = new StateOptions { DataDirectory = Path.Combine(directory.Path, "data") };
        var lines = new List<string>();
        var own = Environment.ProcessPath!;
        string[] words = [StateHost.Word, options.DataDirectory];
        var start = new ProcessStartInfo(own, Path.GetFileNameWithoutExtension(own) == "dotnet" ? [typeof(KilledServers).Assembly.Location, .. words] : words) { RedirectStandardOutput = true, UseShellExecute = false };
        using (var process = Process.Start(start)!)
        {
            try
            {
                lines.Add((await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(3), TimeProvider.System))!);
                await using var early = await StateStore.OpenAsync(options, NullLogger.Instance);
                Assert.Equal("state_in_use", (await Assert.ThrowsAsync<CoveException>(() => early.BeginServingAsync())).Error.Code);
                while (lines.Count < 3000)
                {
                    lines.Add((await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(3), TimeProvider.System))!);
                }
            }
            finally
            {
                process.Kill();
                lines.AddRange((await process.StandardOutput.ReadToEndAsync()).Split('\n')[..^1]); // the last line that is whole
                await process.WaitForExitAsync();
            }
        }

        await using var state = await StateStore.OpenAsync(options, NullLogger.Instance);
        var sandboxes = lines.Where(line => line[0] == 's').Select(line => new SandboxId(line)).ToList();
        await state.BeginServingAsync();
        foreach (var id in sandboxes)
        {
            Assert.Equal(SandboxEndReason.EngineLost, (await state.Sandboxes.FindAsync(id, "alpha"))?.EndReason);
        }

        // What was put on record is there, once and in order; the last one may have been killed before it could say so.
        var rows = (await state.Audit.ListAsync(100_000)).AsEnumerable().Reverse().Select(row => row.Run!).ToList();
        var told = lines.Count - sandboxes.Count;
        Assert.InRange(rows.Count, told, told + 1);
        Assert.Equal(Enumerable.Range(1, rows.Count).Select(i => $"r{i}"), rows);
    }
}
