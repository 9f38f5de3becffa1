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
        SandboxId id;
        var told = 0;
        var own = Environment.ProcessPath!;
        string[] words = [StateHost.Word, options.DataDirectory];
        var start = new ProcessStartInfo(own, Path.GetFileNameWithoutExtension(own) == "dotnet" ? [typeof(KilledServers).Assembly.Location, .. words] : words) { RedirectStandardOutput = true, UseShellExecute = false };
        using (var process = Process.Start(start)!)
        {
            try
            {
                id = new SandboxId((await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(3), TimeProvider.System))!);
                await using var early = await StateStore.OpenAsync(options, NullLogger.Instance);
                Assert.Equal("state_in_use", (await Assert.ThrowsAsync<CoveException>(() => early.BeginServingAsync())).Error.Code);
                while (told < 3000)
                {
                    told = int.Parse((await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(3), TimeProvider.System))!);
                }
            }
            finally
            {
                process.Kill();
                told = Last(await process.StandardOutput.ReadToEndAsync()) ?? told;
                await process.WaitForExitAsync();
            }
        }

        await using var state = await StateStore.OpenAsync(options, NullLogger.Instance);
        Assert.Equal(SandboxState.Ready, (await state.Sandboxes.FindAsync(id, "alpha"))!.State);
        await state.BeginServingAsync();
        Assert.Equal(SandboxEndReason.EngineLost, (await state.Sandboxes.FindAsync(id, "alpha"))!.EndReason);

        // What was put on record is there, once and in order; the last one may have been killed before it could say so.
        var rows = (await state.Audit.ListAsync(100_000)).AsEnumerable().Reverse().Select(row => row.Run!).ToList();
        Assert.InRange(rows.Count, told, told + 1);
        Assert.Equal(Enumerable.Range(1, rows.Count).Select(i => $"r{i}"), rows);
    }

    /// <summary>The last line that is whole; null when there is none.</summary>
    private static int? Last(string text) => text.Split('\n')[..^1] is [.., var last] ? int.Parse(last) : null;
}
