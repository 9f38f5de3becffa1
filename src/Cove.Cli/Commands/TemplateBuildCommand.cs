using System.CommandLine;
using Cove.Cli.Running;
using Cove.Cli.Warm;
using Cove.Engine;
using Cove.Engine.Templates;
using Cove.Engine.Templates.Building;

namespace Cove.Cli.Commands;

/// <summary><c>cove template build</c>: gives a template with Debian packages a root of its own.</summary>
internal static class TemplateBuildCommand
{
    public static Command Create(TimeProvider time)
    {
        var source = new Argument<string>("template") { Description = "A template's name, or the path of a template file (with a / in it, or ending in .json), which is then added to this machine's templates." };
        var command = new Command("build", "Build the root of a template that has Debian packages of its own.") { source };
        command.SetAction((parsed, _) => BuildAsync(parsed.GetValue(source)!, time));
        return command;
    }

    private static async Task<int> BuildAsync(string source, TimeProvider time)
    {
        var options = EngineComposition.Options(new EngineChoice());
        var isFile = source.Contains('/') || source.EndsWith(".json", StringComparison.Ordinal);
        var template = isFile ? FromFile(source, options.Engine) : FromName(source, options.Engine);
        using var interrupts = new Interrupts(() => Task.CompletedTask);
        var started = time.GetTimestamp();
        var builder = new TemplateBuilder(options.StateDirectory, Libc.EffectiveUser() == 0, time, line => Console.Error.WriteLine("cove: " + line));
        try
        {
            var root = await builder.BuildAsync(template, interrupts.Token);
            if (isFile)
            {
                Directory.CreateDirectory(options.Engine.AddedTemplatesDirectory!);
                File.Copy(source, Path.Combine(options.Engine.AddedTemplatesDirectory!, template.Name + ".json"), overwrite: true);
            }

            Console.Error.WriteLine($"cove: built {root} in {time.GetElapsedTime(started).TotalSeconds:0} s; an engine that is running now does not know it yet: cove engine stop");
            return ExitCodes.Ok;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("cove: interrupted; what was there before is unchanged.");
            return ExitCodes.Interrupted;
        }
    }

    private static Template FromFile(string path, EngineOptions options)
    {
        if (!File.Exists(path))
        {
            throw Errors.Usage("no_template", $"There is no file {path}.", "Give the path of a template file, or the name of a template: cove template list");
        }

        var template = TemplateCatalog.Read(path);
        return TemplateCatalog.Load(options.TemplatesDirectory).All.Any(t => t.Name == template.Name)
            ? throw Errors.Usage("template_exists", $"{path}: a template that came with Cove is named '{template.Name}'.", "Give the file another name.")
            : template;
    }

    private static Template FromName(string name, EngineOptions options)
    {
        var all = TemplateCatalog.Load(options.TemplatesDirectory, options.AddedTemplatesDirectory).All;
        return all.FirstOrDefault(t => t.Name == name)
            ?? throw Errors.Usage("no_template", $"There is no template '{name}'.", $"Give one of {string.Join(", ", all.Select(t => t.Name))}, or the path of a template file.");
    }
}
