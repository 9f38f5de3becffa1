using System.CommandLine;
using Cove.Cli.Serving;
using Cove.Server.Settings;

namespace Cove.Cli.Commands;

/// <summary><c>cove serve</c>: the engine behind HTTP, in one process.</summary>
internal static class ServeCommand
{
    /// <summary>The command; with its settings only when it is <paramref name="wanted"/>: another verb shall not load a server to say what a server could do.</summary>
    public static Command Create(TimeProvider time, bool wanted)
    {
        var command = new Command("serve", "Serve the engine over HTTP until SIGTERM or Ctrl-C.");
        if (wanted)
        {
            AddSettings(command, time);
        }

        return command;
    }

    private static void AddSettings(Command command, TimeProvider time)
    {
        var config = new Option<string?>("--config") { Description = "A JSON file with settings (or COVE_CONFIG). Nothing is read from the working directory unless it is named.", HelpName = "FILE" };
        command.Options.Add(config);
        var flags = new Dictionary<string, Option<string?>>();
        foreach (var setting in ServerSettings.All.Where(setting => setting.Flag is not null))
        {
            var option = new Option<string?>(setting.Flag!)
            {
                Description = $"{setting.Description} Default: {setting.Default}." + (setting.Environment.Count > 0 ? $" [{string.Join(", ", setting.Environment)}]" : ""),
                Arity = setting.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
                HelpName = setting.IsSwitch ? "true|false" : setting.Key.ToUpperInvariant(),
            };
            flags.Add(setting.Key, option);
            command.Options.Add(option);
        }

        command.SetAction((parsed, cancellationToken) =>
        {
            var given = flags.Where(flag => parsed.GetResult(flag.Value) is not null).ToDictionary(flag => flag.Key, flag => parsed.GetValue(flag.Value) ?? "true");
            var options = new SettingsReader(Environment.GetEnvironmentVariable, Environment.IsPrivilegedProcess).Read(given, parsed.GetValue(config));
            return new ServerRun(options, time).RunAsync(cancellationToken);
        });
    }
}
