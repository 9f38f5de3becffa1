using System.CommandLine;
using Cove.Cli.Running;
using Cove.Cli.Shell;
using Cove.Cli.Warm;
using Cove.Client;

namespace Cove.Cli.Commands;

/// <summary><c>cove shell</c>: an interactive session in one sandbox.</summary>
internal static class ShellCommand
{
    /// <summary>A session whose terminal was closed is cleaned away this soon; a living one says so more often.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan SignOfLife = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(7);

    public static Command Create(TimeProvider time)
    {
        var outDirectory = new Option<string?>("--out", "-o") { Description = "Where to save figures. Default: a directory below the temporary one.", HelpName = "DIR" };
        var sandbox = new SandboxOptions();
        var command = new Command("shell", "Work in a sandbox interactively; reads cells from a pipe, too.") { outDirectory };
        sandbox.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var language = sandbox.Language(parsed) ?? Language.Python;
            var (cove, made) = await Connection.MakeAsync(sandbox.Engine(parsed), sandbox.Request(parsed, IdleTimeout, MaxLifetime), time, cancellationToken);
            await using var connection = cove;
            await using var alive = time.CreateTimer(_ => _ = SignAsync(cove, made.Id), null, SignOfLife, SignOfLife);
            try
            {
                var piped = Console.IsInputRedirected ? Console.In : null;
                var history = new History(piped is null ? Path.Combine(PrivateDirectory.State(), "history") : null);
                if (piped is null)
                {
                    Console.WriteLine($"{made.Template} in sandbox {made.Id} ({made.Isolation.Backend}, {made.Isolation.Privilege}); :help shows what else there is.");
                }

                var session = new ShellSession(cove, made, language, parsed.GetValue(sandbox.Timeout), parsed.GetValue(outDirectory), new Screen());
                var exitCode = await session.RunAsync(new CellReader(language, history, piped), history);

                // A terminal session that ends has worked, whatever its last cell did; a script's end is its last cell's.
                return piped is null ? ExitCodes.Ok : exitCode;
            }
            finally
            {
                await DeleteAsync(cove, made.Id);
            }
        });
        return command;
    }

    private static async Task SignAsync(CoveClient cove, SandboxId sandbox)
    {
        try
        {
            await cove.StatFileAsync(sandbox, "/workspace");
        }
        catch (CoveException)
        {
            // The next cell will say what is wrong.
        }
    }

    private static async Task DeleteAsync(CoveClient cove, SandboxId sandbox)
    {
        try
        {
            await cove.DeleteSandboxAsync(sandbox);
        }
        catch (CoveException)
        {
            // Its idle timeout ends it.
        }
    }
}
