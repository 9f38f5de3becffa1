using System.CommandLine;
using Cove.Cli.Agents;
using Cove.Cli.Running;
using Cove.Cli.Warm;

namespace Cove.Cli.Commands;

/// <summary><c>cove agent</c>: a question, answered by a model that runs code in a fresh sandbox.</summary>
internal static class AgentCommand
{
    /// <summary>A sandbox outlives the question's time by this much, so that what was made can be saved.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(30);

    public static Command Create(TimeProvider time)
    {
        var question = new Argument<string?>("question") { Description = "The question; - reads it from standard input.", Arity = ArgumentArity.ZeroOrOne };
        var options = new AgentOptionSet();
        var sandbox = new SandboxOptions();
        var command = new Command("agent", "Ask a model that writes code, runs it in a fresh sandbox, repairs it and answers.") { question };
        options.AddTo(command);
        sandbox.AddSandboxTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var wanted = options.Request(parsed, () => Question(parsed.GetValue(question)), limit => sandbox.Request(parsed, Idle(limit), Lifetime(limit)));
            await using var session = new AgentSession(wanted, time)
            {
                Live = !Console.IsOutputRedirected && !wanted.Json,
                Answers = wanted.Ask ? Console.In : TextReader.Null,
            };
            return await RunAsync(session, wanted, sandbox.Engine(parsed), time, cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(AgentSession session, AgentRequest wanted, EngineChoice engine, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await session.PrepareAsync(cancellationToken);
            var (cove, made) = await Connection.MakeAsync(engine, wanted.Sandbox, time, cancellationToken);
            await using (cove)
            {
                return await session.RunAsync(cove, made);
            }
        }
        catch (Exception failure) when (wanted.Json && Errors.Known(failure) is not null)
        {
            var error = Errors.Known(failure)!.Error;
            session.Screen.Line(new PrintedReport { Error = error, ExitCode = ExitCodes.Of(error) }.ToJson());
            return session.Screen.ExitCode(ExitCodes.Of(error));
        }
    }

    private static string Question(string? given) => given switch
    {
        null => "",
        "-" => Console.In.ReadToEnd(),
        _ => given,
    };

    // The model may think for long between two runs.
    private static TimeSpan Idle(TimeSpan limit) => limit + Margin < TimeSpan.FromHours(24) ? limit + Margin : TimeSpan.FromHours(24);

    private static TimeSpan? Lifetime(TimeSpan limit) => limit + Margin > TimeSpan.FromHours(1) ? limit + Margin : null;
}
