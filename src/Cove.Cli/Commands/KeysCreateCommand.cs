using System.CommandLine;
using Cove.Server.Access;
using Cove.Server.Hosting;

namespace Cove.Cli.Commands;

/// <summary><c>cove keys create</c>.</summary>
internal static class KeysCreateCommand
{
    public static Command Create(TimeProvider time)
    {
        var project = new Option<string>("--project") { Description = "The project it belongs to; made when it is missing. 1 to 40 characters of a-z, 0-9 and -.", DefaultValueFactory = _ => KeyRequest.DefaultProject };
        var name = new Option<string>("--name") { Description = "What the key is for. 1 to 100 characters.", DefaultValueFactory = _ => "unnamed" };
        var scope = new Option<string[]>("--scope") { Description = "What it allows: read, write, tools (the declared tools of --tools). May be given several times. Default: read and write.", AllowMultipleArgumentsPerToken = true };
        var expires = new Option<string?>("--expires") { Description = "How long it is good for, for example 30d or 12h. Default: until it is revoked.", HelpName = "DURATION" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var state = new StateOptionSet();
        var command = new Command("create", "Make a key. It is shown once; the database keeps only its hash.") { project, name, scope, expires, json };
        state.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var request = new KeyRequest
            {
                Project = parsed.GetValue(project)!,
                Name = parsed.GetValue(name)!,
                Scopes = ScopesOf(parsed.GetValue(scope) ?? []),
                Life = parsed.GetValue(expires) is { } text ? Life(text) : null,
            };
            request.Validate();
            await using var store = await state.OpenAsync(parsed, time);
            var (key, stored) = await new KeyDesk(store.Keys, time).CreateAsync(request);
            if (parsed.GetValue(json))
            {
                Console.WriteLine(KeyLines.Json(stored, time.GetUtcNow(), key.Text));
                return ExitCodes.Ok;
            }

            Console.WriteLine(key.Text);
            await Console.Error.WriteLineAsync($"cove: the key {stored.Id} of the project '{stored.Project}', kept as a hash in {store.Place}; it is not shown again");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Scopes ScopesOf(string[] names) => names.Length == 0 ? Scopes.Usual : names.SelectMany(name => name.Split(',')).Aggregate(Scopes.None, (scopes, name) => scopes | name switch
    {
        "read" => Scopes.Read,
        "write" => Scopes.Write,
        "tools" => Scopes.Tools,
        _ => throw AccessErrors.Invalid("scope", name, "read, write or tools"),
    });

    private static TimeSpan Life(string text) =>
        text.EndsWith('d') && Quantities.TryCount(text[..^1], out var days, out _) && days <= 3653 ? TimeSpan.FromDays(days)
        : Quantities.TryDuration(text, out var life, out _) ? life
        : throw AccessErrors.Invalid("expires", text, "a number with s, m, h or d, for example 30d");
}
