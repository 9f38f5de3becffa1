using Cove.Engine;
using Cove.Engine.Templates;
using Cove.Engine.Templates.Building;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Templates;

public sealed class TemplateBuildTests : IDisposable
{
    private readonly string _state = TemporaryPlace.Make().FullName;

    [Fact]
    public async Task A_template_without_packages_is_told_that_there_is_nothing_to_build()
    {
        var error = await Assert.ThrowsAsync<CoveException>(() => Builder([]).BuildAsync(new Template { Name = "plain", Description = "d" }, default));
        Assert.Contains("debian_packages", error.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_root_that_was_not_built_is_refused_with_the_command_that_builds_it()
    {
        Add();
        var error = await Assert.ThrowsAsync<CoveException>(StartAsync);
        Assert.Equal("template_not_built", error.Error.Code);
        Assert.Contains("cove template build own", error.Error.Remediation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_built_root_is_what_its_sandboxes_see()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("COVE_LONG") == "1", "takes about a minute; ./test --long");
        Assert.SkipUnless(File.Exists("/usr/bin/mmdebstrap"), "mmdebstrap is not there");
        var template = Add();
        var said = new List<string>();
        var root = await Builder(said).BuildAsync(template, TestContext.Current.CancellationToken);
        Assert.Equal([root], Directory.GetFileSystemEntries(Path.Combine(_state, "roots")));

        await using var engine = await StartAsync();
        await using var sandbox = await TestSandbox.CreateAsync(engine, new SandboxRequest { Template = "own" });
        var run = await sandbox.PythonAsync("import numpy, os; print(numpy.ones(3).sum(), os.path.exists('/usr/bin/node'), open('/opt/template/a/b.txt').read())");
        Assert.True(run.Outcome == RunOutcome.Ok, run.ToString());
        Assert.Equal("3.0 False text\n", run.Stdout);
        Assert.Equal("own", (await engine.ListTemplatesAsync()).Single(t => t.Name == "own").Root);
    }

    public void Dispose() => Directory.Delete(_state, recursive: true);

    private TemplateBuilder Builder(List<string> said) => new(_state, Environment.IsPrivilegedProcess, TimeProvider.System, said.Add);

    private Template Add()
    {
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(_state, "templates")).FullName, "own.json");
        File.WriteAllText(file, """
            { "description": "d", "debian_packages": ["python3-numpy"], "preload": ["numpy"], "files": { "a/b.txt": "text" }, "pool_size": 0 }
            """);
        return TemplateCatalog.Read(file);
    }

    private Task<SandboxEngine> StartAsync()
    {
        var options = LiveEngine.Options(poolSize: 0);
        return LocalEngine.StartAsync(
            options with { StateDirectory = _state, Engine = options.Engine with { AddedTemplatesDirectory = Path.Combine(_state, "templates") } }, TimeProvider.System, NullLogger.Instance);
    }
}
