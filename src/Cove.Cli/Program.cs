using System.CommandLine;
using Cove.Cli;
using Cove.Cli.Commands;

// What follows -- belongs to the program that is run, whatever it looks like.
var cut = Array.IndexOf(args, "--");
var own = cut < 0 ? args : args[..cut];
var programArguments = cut < 0 ? [] : args[(cut + 1)..];
var time = TimeProvider.System;

// HttpClient would set up meters and activities at its first use; a command that ends in a moment has nobody to report them to.
AppContext.SetSwitch("System.Diagnostics.Metrics.Meter.IsSupported", own is ["engine" or "serve", ..]);
AppContext.SetSwitch("System.Net.Http.EnableActivityPropagation", false);

var root = new RootCommand("Cove gives AI agents a computer: real code in a sandbox that holds.")
{
    RunCommand.Create(programArguments, time),
    ShellCommand.Create(time),
    AgentCommand.Create(time),
    TranscriptCommand.Create(),
    SandboxCommand.Create(programArguments, time),
    McpCommand.Create(time),
    ServeCommand.Create(time, wanted: own.Contains("serve")),
    EngineCommand.Create(time),
    KeysCommand.Create(time),
    ProjectCommand.Create(time),
    AuditCommand.Create(time),
    TemplateCommand.Create(time),
    DoctorCommand.Create(time),
    BenchCommand.Create(time),
    VersionCommand.Create(),
};

// No response files: an argument that begins with @ is an argument, and nothing is read from the working directory because of it.
var parsed = root.Parse(own, new ParserConfiguration { ResponseFileTokenReplacer = null });
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        Console.Error.WriteLine("cove: " + error.Message);
    }

    var verbs = "";
    for (var at = parsed.CommandResult; at.Parent is System.CommandLine.Parsing.CommandResult above; at = above)
    {
        verbs = at.Command.Name + " " + verbs;
    }

    Console.Error.WriteLine($"cove: 'cove {verbs}--help' shows what is possible.");
    return ExitCodes.Refused;
}

try
{
    // Signals are each verb's own: a run is interrupted in its sandbox, not cut off from it.
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (Exception failure) when (Errors.Known(failure) is { } known)
{
    return Errors.Print(known);
}
