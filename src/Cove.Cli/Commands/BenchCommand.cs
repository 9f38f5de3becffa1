using System.CommandLine;
using System.Text.Json;
using Cove.Benchmarks;
using Cove.Benchmarks.Server;
using Cove.Cli.Running;
using Cove.Cli.Warm;

namespace Cove.Cli.Commands;

/// <summary><c>cove bench</c>: Cove's figures beside those of the peers found on this machine, taken in one run.</summary>
internal static class BenchCommand
{
    public static Command Create(TimeProvider time)
    {
        var json = new Option<bool>("--json") { Description = "Print the report as one JSON object." };
        var quick = new Option<bool>("--quick") { Description = "Fewer repetitions: about a minute instead of five." };
        var density = new Option<int?>("--density") { Description = "How many idle sandboxes share the host for the memory figure. Default: 100, quick 40.", HelpName = "N" };
        var server = new Option<bool>("--server") { Description = "Measure the server over HTTP instead, beside a bare Kestrel." };
        var agent = new Option<bool>("--agent") { Description = "Measure the agent's loop instead: a model that answers at once, a tool that does nothing." };
        var echo = new Option<int?>("--echo") { Hidden = true }; // the bare Kestrel, as a process of its own
        var engine = new EngineOptionSet();
        var command = new Command("bench", "Measure this machine: create, run, destroy, bursts and memory, beside bwrap, crun, runc, docker and podman.") { json, quick, density, server, agent, echo };
        engine.AddDegradedTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(echo) is { } port)
            {
                await EchoServer.RunAsync(port, cancellationToken);
                return ExitCodes.Ok;
            }

            if (parsed.GetValue(agent))
            {
                return await AgentAsync(parsed.GetValue(quick), parsed.GetValue(json), time, cancellationToken);
            }

            if (parsed.GetValue(server))
            {
                return await ServerAsync(engine.Choice(parsed), parsed.GetValue(quick), parsed.GetValue(json), time);
            }

            var options = new BenchOptions { Engine = EngineComposition.Options(engine.Choice(parsed)) };
            if (parsed.GetValue(quick))
            {
                options = options with { Rounds = 6, Density = 40, Leaks = 60 };
            }

            options = options with { Density = parsed.GetValue(density) ?? options.Density };
            if (options.Density is < 1 or > 1000)
            {
                throw Errors.Usage("invalid_option", $"--density is {options.Density}.", "Give 1 to 1,000.");
            }

            using var interrupts = new Interrupts(() => Task.CompletedTask);
            try
            {
                var report = await Bench.RunAsync(options, time, line => Console.Error.WriteLine("cove: " + line), interrupts.Token);
                if (parsed.GetValue(json))
                {
                    Console.WriteLine(JsonSerializer.Serialize(report, BenchJson.Default.BenchReport));
                }
                else
                {
                    BenchTable.Write(report, Console.Out);
                }

                return ExitCodes.Ok;
            }
            catch (OperationCanceledException)
            {
                return ExitCodes.Interrupted;
            }
        });
        return command;
    }

    private static async Task<int> AgentAsync(bool quick, bool json, TimeProvider time, CancellationToken cancellationToken)
    {
        var report = await AgentBench.RunAsync(quick ? 20 : 200, time, cancellationToken);
        Console.WriteLine(json
            ? report.ToJson()
            : FormattableString.Invariant($"agent loop, per tool turn: p50 {report.TurnP50Ms:0.000} ms, p95 {report.TurnP95Ms:0.000} ms, p99 {report.TurnP99Ms:0.000} ms ({report.Turns} turns)"));
        return ExitCodes.Ok;
    }

    private static async Task<int> ServerAsync(EngineChoice choice, bool quick, bool json, TimeProvider time)
    {
        List<string> serve = ["serve", "--allow-anonymous"];
        if (choice.AllowDegraded.Count > 0)
        {
            serve.AddRange(["--allow-degraded", string.Join(',', choice.AllowDegraded)]);
        }

        var options = new ServerBenchOptions { ServeArguments = serve };
        options = quick ? options with { Requests = 500, Crowd = 100, Lives = 60, Streams = 500, Growth = 5000 } : options;
        using var interrupts = new Interrupts(() => Task.CompletedTask);
        try
        {
            var report = await ServerBench.RunAsync(Environment.ProcessPath!, options, time, line => Console.Error.WriteLine("cove: " + line), interrupts.Token);
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(report, ServerBenchJson.Default.ServerReport));
            }
            else
            {
                ServerTable.Write(report, Console.Out);
            }

            return ExitCodes.Ok;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
    }
}
