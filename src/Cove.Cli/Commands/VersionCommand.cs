using System.CommandLine;
using System.Reflection;
using Cove.Cli.Warm;

namespace Cove.Cli.Commands;

/// <summary><c>cove version</c>.</summary>
internal static class VersionCommand
{
    public static Command Create()
    {
        var command = new Command("version", "Show the version and the build.");
        command.SetAction(_ =>
        {
            var version = typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
            Console.WriteLine($"cove {version}, build {BuildStamp.Read()}, .NET {Environment.Version}");
        });
        return command;
    }
}
