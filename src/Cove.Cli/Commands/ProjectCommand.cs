using System.CommandLine;
using Cove.Server.Access;
using Cove.Server.Access.Quotas;
using Cove.Server.State;

namespace Cove.Cli.Commands;

/// <summary><c>cove project</c>: what each project may use.</summary>
internal static class ProjectCommand
{
    public static Command Create(TimeProvider time) => new("project", "The projects of a server and what each may use.") { List(time), Set(time) };

    private static Command List(TimeProvider time)
    {
        var state = new StateOptionSet();
        var command = new Command("list", "List the projects with their quotas.");
        state.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            await using var store = await state.OpenExistingAsync(parsed, time);
            var defaults = state.Read(parsed).Quotas;
            (await store.Projects.ListAsync()).ForEach(project => Console.WriteLine(Line(project, defaults)));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Set(TimeProvider time)
    {
        var name = new Argument<string>("project") { Description = "The project." };
        var sandboxes = new Option<string?>("--sandboxes") { Description = "Sandboxes at once, or 'default'." };
        var memory = new Option<string?>("--memory") { Description = "The memory limits of its sandboxes together, for example 64GB, or 'default'." };
        var cpu = new Option<string?>("--cpu-seconds") { Description = "Seconds of processor time a day (UTC), or 'default'." };
        var requests = new Option<string?>("--requests") { Description = "Requests a minute, or 'default'." };
        var state = new StateOptionSet();
        var command = new Command("set", "Set what a project may use; a running server follows within two seconds.") { name, sandboxes, memory, cpu, requests };
        state.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            await using var store = await state.OpenExistingAsync(parsed, time);
            var project = await store.Projects.FindAsync(parsed.GetValue(name)!) ?? throw AccessErrors.UnknownProject(parsed.GetValue(name)!);
            var changed = project with
            {
                MaxSandboxes = Value("sandboxes", parsed.GetValue(sandboxes), project.MaxSandboxes),
                MaxMemoryBytes = Value("memory", parsed.GetValue(memory), project.MaxMemoryBytes, isSize: true),
                CpuSecondsPerDay = Value("cpu-seconds", parsed.GetValue(cpu), project.CpuSecondsPerDay),
                RequestsPerMinute = Value("requests", parsed.GetValue(requests), project.RequestsPerMinute),
            };
            var defaults = state.Read(parsed).Quotas;
            defaults.For(changed).Validate();
            await store.Projects.SetAsync(changed);
            Console.WriteLine(Line(changed, defaults));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static long? Value(string option, string? text, long? before, bool isSize = false)
    {
        if (text is null or "default")
        {
            return text is null ? before : null;
        }

        return isSize ? Quantities.TryBytes(text, out var bytes, out _) ? bytes : throw AccessErrors.Invalid(option, text, "a size such as 512MB or 64GB, or default")
            : Quantities.TryCount(text, out var count, out _) ? count : throw AccessErrors.Invalid(option, text, "a whole number of at least 1, for example 64, or default");
    }

    private static string Line(StoredProject project, QuotaOptions defaults)
    {
        var quota = defaults.For(project);
        return $"{project.Name}: {quota.MaxSandboxes} sandboxes, {Quantities.Size(quota.MaxMemoryBytes)} memory, {quota.CpuSecondsPerDay} s of processor time a day, {quota.RequestsPerMinute} requests a minute";
    }
}
