using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cove.Tests;

/// <summary>The rules of the house that a reader would otherwise have to remember.</summary>
public sealed partial class ArchitectureTests
{
    /// <summary>Each project and what it may refer to.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Cove.Contracts"] = [],
        ["Cove.Client"] = ["Cove.Contracts"],
        ["Cove.Engine"] = ["Cove.Contracts"],
        ["Cove.Agent"] = ["Cove.Contracts"],
        ["Cove.ScriptedModel"] = [],
        ["Cove.Server"] = ["Cove.Contracts", "Cove.Engine", "Cove.Agent"],
        ["Cove.Benchmarks"] = ["Cove.Contracts", "Cove.Engine", "Cove.Agent"],
        ["Cove.Cli"] = ["Cove.Contracts", "Cove.Engine", "Cove.Client", "Cove.Agent", "Cove.ScriptedModel", "Cove.Server", "Cove.Benchmarks"],
    };

    private static readonly Assembly[] Assemblies = [typeof(ICove).Assembly, typeof(Engine.SandboxEngine).Assembly, typeof(Cove.Agent.Tools.AgentTool).Assembly];

    private static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(SourceTree.Root, folder), pattern, SearchOption.AllDirectories);

    [Fact]
    public void References_run_one_way()
    {
        foreach (var file in Files("src", "*.csproj").Concat(Files("bench", "*.csproj")))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            Assert.True(Allowed.ContainsKey(name), $"{name} is not in the table of projects; add it with what it may refer to.");
            var references = XDocument.Load(file).Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value));
            Assert.All(references, r => Assert.True(Allowed[name].Contains(r), $"{name} must not refer to {r}."));
        }
    }

    [Fact]
    public void Types_are_named_for_what_they_are()
    {
        string[] vague = ["Manager", "Helper", "Helpers", "Utils", "Utilities"];
        Assert.DoesNotContain(Assemblies.SelectMany(a => a.GetTypes()).Where(t => t.Namespace?.StartsWith("Cove", StringComparison.Ordinal) == true), t => vague.Any(v => t.Name.EndsWith(v, StringComparison.Ordinal)));
    }

    [Fact]
    public void What_is_inside_the_engine_is_internal_and_sealed()
    {
        var types = typeof(Engine.SandboxEngine).Assembly.GetTypes().Where(t =>
            t.Namespace?.StartsWith("Cove.Engine", StringComparison.Ordinal) == true && !t.IsNested && !t.IsDefined(typeof(CompilerGeneratedAttribute)));
        foreach (var type in types.Where(t => t.IsClass))
        {
            Assert.True(type.IsSealed || type.IsAbstract, $"{type} is neither sealed, static nor abstract.");
        }

        string[] open = ["EngineOptions", "LocalEngine", "LocalEngineOptions", "SandboxEngine"];
        Assert.Empty(types.Where(t => t.IsPublic).Select(t => t.Name).Except(open));
    }

    [Fact]
    public void The_contracts_seal_every_class() =>
        Assert.DoesNotContain(typeof(ICove).Assembly.GetTypes(), t => t is { IsPublic: true, IsClass: true, IsSealed: false, IsAbstract: false });

    [Fact]
    public void Log_events_have_ids_of_their_own()
    {
        var ids = Assemblies.SelectMany(a => a.GetTypes())
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(m => m.GetCustomAttribute<LoggerMessageAttribute>()?.EventId).OfType<int>().ToArray();
        Assert.NotEmpty(ids);
        Assert.Equal(ids.Length, ids.Distinct().Count());
    }

    [Fact]
    public void No_file_is_longer_than_600_lines_and_nine_in_ten_are_below_300()
    {
        var lengths = Files("src", "*.cs").Where(f => !f.Contains("/obj/", StringComparison.Ordinal))
            .Select(f => (File: f, Lines: File.ReadLines(f).Count())).OrderBy(f => f.Lines).ToArray();
        Assert.True(lengths[^1].Lines <= 600, $"{lengths[^1].File} has {lengths[^1].Lines} lines.");
        Assert.True(lengths[lengths.Length * 9 / 10].Lines <= 300, $"The last tenth begins at {lengths[lengths.Length * 9 / 10]}.");
    }

    [Fact]
    public void Namespaces_follow_folders()
    {
        foreach (var file in Files("src/Cove.Engine", "*.cs").Where(f => !f.Contains("/obj/", StringComparison.Ordinal)))
        {
            var folder = Path.GetRelativePath(Path.Combine(SourceTree.Root, "src"), Path.GetDirectoryName(file)!).Replace('/', '.');
            var match = Declared().Match(File.ReadAllText(file));
            Assert.True(!match.Success || match.Groups["name"].Value == folder, $"{file} declares {match.Groups["name"].Value}.");
        }
    }

    [Fact]
    public void A_front_end_knows_neither_another_nor_the_isolation()
    {
        var folders = Directory.GetDirectories(Path.Combine(SourceTree.Root, "src", "Cove.Server", "Frontends"));
        var all = folders.Select(f => Path.GetFileName(f)!).ToArray();
        Assert.NotEmpty(all);
        foreach (var folder in folders)
        {
            foreach (var file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            {
                var found = Trespass(File.ReadAllText(file), Path.GetFileName(folder), all);
                Assert.True(found is null, $"{file} names {found}, which is none of a front-end's business.");
            }
        }

        // A using for all files would be none in any of them.
        var shared = Files("src/Cove.Server", "*.cs").Where(f => !f.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText)
            .Append(File.ReadAllText(Path.Combine(SourceTree.Root, "src", "Cove.Server", "Cove.Server.csproj")));
        Assert.DoesNotContain(shared, text => GlobalUsing().IsMatch(text));
    }

    [Theory]
    [InlineData("using Cove.Engine.Isolation;", true)]
    [InlineData("using Seam = Cove.Engine.Isolation.Cell;", true)]
    [InlineData("var cell = new Engine.Isolation.Namespaces.NamespaceCell();", true)]
    [InlineData("using Cove.Server.Frontends.Mcp;", true)]
    [InlineData("var x = Mcp.McpWire.Parse();", true)] // a sibling namespace needs no using
    [InlineData("using Cove.Server.Frontends.Native;\nusing Cove.Engine;", false)]
    [InlineData("public IsolationTier Isolation { get; }", false)]
    public void What_a_front_end_must_not_name_is_found(string text, bool found) => Assert.Equal(found, Trespass(text, "Native", ["Native", "Mcp"]) is not null);

    /// <summary>What a source file of the front-end <paramref name="own"/> names that belongs to another or lies below the engine's low seam; null when nothing.</summary>
    private static string? Trespass(string text, string own, string[] all)
    {
        var others = all.Where(name => name != own).Select(name => $@"\bFrontends\.{name}\b|\b{name}\.[A-Z]").Prepend(@"\bEngine\.Isolation\b");
        var match = Regex.Match(text, string.Join('|', others), RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        return match.Success ? match.Value : null;
    }

    [GeneratedRegex(@"\bglobal\s+using\s|<Using\s", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex GlobalUsing();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Declared();
}
