using System.CommandLine;
using Cove.Cli.Running;
using Cove.Cli.Warm;

namespace Cove.Cli.Commands;

/// <summary><c>cove run</c>: one program in a fresh sandbox.</summary>
internal static class RunCommand
{
    /// <summary>A sandbox whose command was killed is cleaned away this soon.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(1);

    public static Command Create(IReadOnlyList<string> programArguments, TimeProvider time)
    {
        var script = new Argument<string?>("script") { Description = "A script (.py, .sh, .js), or - for standard input.", Arity = ArgumentArity.ZeroOrOne };
        var more = new Argument<string[]>("args") { Description = "Arguments of the program; after -- they may begin with a dash.", Arity = ArgumentArity.ZeroOrMore };
        var code = new Option<string?>("--code", "-c") { Description = "Code to run; the value of its last expression is printed.", HelpName = "CODE" };
        var files = new Option<string[]>("--file", "-f") { Description = "A file to put into /workspace under its own name. May be given often.", HelpName = "PATH" };
        var outDirectory = new Option<string?>("--out", "-o") { Description = "Where to save the files and figures that the program makes.", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "Print everything about the run as one JSON object." };
        var sandbox = new SandboxOptions();

        var command = new Command("run", "Run a program in a fresh sandbox; exits with the program's exit code.") { script, more, code, files, outDirectory, json };
        sandbox.AddTo(command);
        command.Validators.Add(result =>
        {
            // A misspelt option would otherwise become an argument of the program, and a limit that was asked for would silently not hold.
            foreach (var token in new Argument[] { script, more }.SelectMany(argument => result.GetResult(argument)?.Tokens ?? []))
            {
                if (token.Value.Length > 1 && token.Value[0] == '-')
                {
                    result.AddError($"{token.Value} is no option of run; for an argument of the program write it after --.");
                }
            }
        });
        command.SetAction((parsed, cancellationToken) => RunAsync(
            new RunSession
            {
                ReadProgram = () => Submission.Read(
                    parsed.GetValue(code), parsed.GetValue(script), sandbox.Language(parsed), [.. parsed.GetValue(more) ?? [], .. programArguments]),
                Request = sandbox.Request(parsed, IdleTimeout, Lifetime(parsed.GetValue(sandbox.Timeout))),
                Timeout = parsed.GetValue(sandbox.Timeout),
                Files = parsed.GetValue(files) ?? [],
                OutDirectory = parsed.GetValue(outDirectory),
                Json = parsed.GetValue(json),
            },
            sandbox.Engine(parsed), time, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(RunSession session, EngineChoice engine, TimeProvider time, CancellationToken cancellationToken)
    {
        using (session)
        {
            try
            {
                // Read before an engine is started for it: a misspelt path is answered at once.
                session.Prepare();
                var (cove, made) = await Connection.MakeAsync(engine, session.Request, time, cancellationToken);
                await using (cove)
                {
                    return await session.RunAsync(cove, made);
                }
            }
            catch (Exception failure) when (session.Json && Errors.Known(failure) is not null)
            {
                var error = Errors.Known(failure)!.Error;
                session.Screen.Line(new PrintedReport { Error = error, ExitCode = ExitCodes.Of(error) }.ToJson());
                return session.Screen.ExitCode(ExitCodes.Of(error));
            }
        }
    }

    /// <summary>A run longer than the usual lifetime of a sandbox needs one that lives as long, with time to save what it made.</summary>
    private static TimeSpan? Lifetime(TimeSpan? timeout) => timeout is { } wanted && wanted > TimeSpan.FromMinutes(30) ? wanted + TimeSpan.FromMinutes(30) : null;
}
