using System.CommandLine;
using System.Text.Json;
using Cove.Cli.Warm;
using Cove.Engine.Doctor;
using Cove.Engine.Doctor.Fixing;

namespace Cove.Cli.Commands;

/// <summary><c>cove doctor</c>: what this host offers, what results, and the command for each thing that is missing.</summary>
internal static class DoctorCommand
{
    public static Command Create(TimeProvider time)
    {
        var json = new Option<bool>("--json") { Description = "Print the report as one JSON object." };
        var fix = new Option<bool>("--fix") { Description = "Prepare this host for the user that calls sudo: a control group, subordinate ids, uidmap." };
        var user = new Option<string?>("--user") { Description = "With --fix: the user to prepare the host for. Default: the one that called sudo.", HelpName = "NAME" };
        var engine = new EngineOptionSet();
        var command = new Command("doctor", "Look at what this host offers for sandboxes. The exit code is 0 when they run with every promised protection, 1 when not.") { json, fix, user };
        engine.AddDegradedTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = new DoctorOptions
            {
                Backend = EngineComposition.Options(engine.Choice(parsed)).ForBackend(),
                IsRoot = Libc.EffectiveUser() == 0,
                UserName = Environment.UserName,
            };
            return parsed.GetValue(fix) ? FixAsync(options, parsed.GetValue(user), cancellationToken) : ExamineAsync(options, parsed.GetValue(json), time, cancellationToken);
        });
        return command;
    }

    private static async Task<int> ExamineAsync(DoctorOptions options, bool json, TimeProvider time, CancellationToken cancellationToken)
    {
        var report = await Examination.RunAsync(options, time, cancellationToken);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(report, DoctorJson.Default.DoctorReport));
        }
        else
        {
            Show(report);
        }

        return report.Ready ? ExitCodes.Ok : ExitCodes.NotReady;
    }

    private static void Show(DoctorReport report)
    {
        foreach (var area in report.Findings.GroupBy(f => f.Area))
        {
            Console.WriteLine(area.Key);
            foreach (var finding in area)
            {
                Console.WriteLine($"  {Mark(finding.State)} {finding.Name,-24} {finding.Found}");
                Detail("lost", finding.Lost);
                Detail("fix", finding.Fix);
            }
        }

        Console.WriteLine();
        Console.WriteLine(report.Summary);
        var fixes = report.Findings.Where(f => f.State is FindingState.Missing).Select(f => f.Fix).OfType<string>().Distinct().ToList();
        if (!report.Ready && fixes.Count > 0)
        {
            Console.WriteLine("To fix it: " + string.Join("; ", fixes));
        }
    }

    private static void Detail(string name, string? text)
    {
        if (text is not null)
        {
            Console.WriteLine($"               {name}: {text}");
        }
    }

    private static string Mark(FindingState state) => state switch
    {
        FindingState.Ok => "ok      ",
        FindingState.Information => "        ",
        FindingState.Optional => "optional",
        _ => "MISSING ",
    };

    private static async Task<int> FixAsync(DoctorOptions options, string? name, CancellationToken cancellationToken)
    {
        if (!options.IsRoot)
        {
            Console.WriteLine("This changes the host and needs root. Run: sudo ./cove doctor --fix");
            return ExitCodes.NotReady;
        }

        var user = HostUsers.Find(name ?? Environment.GetEnvironmentVariable("SUDO_UID") ?? throw Errors.Usage(
            "no_user", "Root itself needs no preparation, and no user called through sudo.", "Call it through sudo as the user that will run Cove, or name the user: cove doctor --fix --user NAME"));
        var ready = await Preparation.RunAsync(options, user, HostUsers.CallingProcess(user.Id), Console.WriteLine, cancellationToken);
        Console.WriteLine(ready ? $"{user.Name} can now run sandboxes with every protection: ./cove doctor" : "Not everything could be prepared, see above.");
        return ready ? ExitCodes.Ok : ExitCodes.NotReady;
    }
}
