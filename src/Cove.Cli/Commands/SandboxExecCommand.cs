using System.CommandLine;
using Cove.Cli.Running;
using Cove.Cli.Warm;

namespace Cove.Cli.Commands;

/// <summary><c>cove sandbox exec</c>: code in a kernel, or a command beside it.</summary>
internal static class SandboxExecCommand
{
    private const int MaximumStdinBytes = 64 << 20;

    public static Command Create(IReadOnlyList<string> programArguments, TimeProvider time)
    {
        var id = SandboxCommand.Id();
        var code = new Option<string?>("--code", "-c") { Description = "Code for a kernel, whose variables stay. Without it, what follows -- is a command.", HelpName = "CODE" };
        var stdin = new Option<bool>("--stdin", "-i") { Description = "Pass standard input to the command, at most 64 MB." };
        var sandbox = new SandboxOptions();
        var command = new Command("exec", "Run code (-c CODE) or a command (-- COMMAND ARGS) in a sandbox; exits with its exit code.") { id, code, stdin };
        sandbox.AddRunTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(code) is null == (programArguments.Count == 0))
            {
                result.AddError("exec takes either -c CODE or a command after --, for example: cove sandbox exec ID -- ls -la");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var request = new RunRequest
            {
                Id = RunId.New(),
                Code = parsed.GetValue(code),
                Language = sandbox.Language(parsed) ?? Language.Python,
                Argv = programArguments.Count > 0 ? programArguments : null,
                Environment = programArguments.Count > 0 ? sandbox.Environment(parsed) : null,
                Stdin = parsed.GetValue(stdin) ? await ReadStdinAsync(cancellationToken) : (ReadOnlyMemory<byte>?)null,
                Timeout = parsed.GetValue(sandbox.Timeout),
            };
            await using var cove = await Connection.OpenAsync(sandbox.Engine(parsed), time, cancellationToken);
            var target = parsed.GetValue(id);
            using var interrupts = new Interrupts(() => cove.KillRunAsync(target, request.Id!.Value));
            return await new RunPrinter(new Screen()).PrintAsync(cove.RunAsync(target, request, interrupts.Token));
        });
        return command;
    }

    private static async Task<ReadOnlyMemory<byte>> ReadStdinAsync(CancellationToken cancellationToken)
    {
        using var read = new MemoryStream();
        await using var input = Console.OpenStandardInput();
        var buffer = new byte[64 * 1024];
        while (await input.ReadAsync(buffer, cancellationToken) is var count and > 0)
        {
            if (read.Length + count > MaximumStdinBytes)
            {
                throw Errors.Usage("stdin_too_large", "Standard input is longer than 64 MB.", "Copy it into the sandbox (cove sandbox cp) and read it there.");
            }

            read.Write(buffer, 0, count);
        }

        return read.ToArray();
    }
}
