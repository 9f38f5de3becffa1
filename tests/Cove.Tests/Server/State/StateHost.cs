using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Tests.Server.State;

/// <summary>A process that serves from a data directory until a test kills it: it notes sandboxes and puts actions on record, saying each.</summary>
internal static class StateHost
{
    public const string Word = "host-state";

    public static async Task<int> RunAsync(string directory)
    {
        var state = await StateStore.OpenAsync(new StateOptions { DataDirectory = directory }, NullLogger.Instance);
        await state.BeginServingAsync();
        await state.Projects.AddAsync("alpha", state.Time.GetUtcNow());
        var cove = new FakeCove();
        for (var i = 1; ; i++)
        {
            if (i % 20 == 1)
            {
                var info = await cove.CreateSandboxAsync(new SandboxRequest());
                await state.AddSandboxAsync(info, "alpha", null);
                Console.WriteLine(info.Id.Value);
            }

            await state.AuditAsync(new AuditRow { At = state.Time.GetUtcNow(), Operation = "run", Status = 200, Run = $"r{i}" });
            Console.WriteLine(i);
        }
    }
}
