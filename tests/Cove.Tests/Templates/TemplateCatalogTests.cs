using System.Text;
using Cove.Engine.Templates;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Templates;

public sealed class TemplateCatalogTests
{
    private static Template Parse(string json, string name = "t") => TemplateCatalog.Parse(name, Encoding.UTF8.GetBytes(json));

    [Fact]
    public void Every_field_is_read()
    {
        var template = Parse("""
            { // comments are welcome
              "description": "d", "preload": ["numpy", "matplotlib.pyplot"], "packages": ["PIL"], "debian_packages": ["ffmpeg"],
              "environment": {"A": "b"}, "files": {"x/y.txt": "text"}, "root": "/srv/root",
              "limits": {"memory_bytes": 134217728, "cpu_millis": 500, "pids": 64, "inodes": 1000, "open_files": 64},
              "pool_size": 7, "zygote_children": 9
            }
            """);
        Assert.Equal(["numpy", "matplotlib.pyplot"], template.Preload);
        Assert.Equal(
            ("b", "text", "/srv/root", 7, 9),
            (template.Environment["A"], template.Files["x/y.txt"], template.Root, template.PoolSize, template.ZygoteChildren));
        Assert.Equal((128L << 20, 64L << 20, 500, 64), (template.Limits.MemoryBytes, template.Limits.DiskBytes, template.Limits.CpuMillis, template.Limits.Pids));
    }

    [Theory]
    [InlineData("description", """{}""")]
    [InlineData("(file)", """[]""")]
    [InlineData("(file)", """{"description":""")]
    [InlineData("colour", """{"description":"d","colour":"red"}""")]
    [InlineData("description", """{"description":"d","description":"e"}""")]
    [InlineData("preload", """{"description":"d","preload":["os; import evil"]}""")]
    [InlineData("preload", """{"description":"d","preload":"numpy"}""")]
    [InlineData("packages", """{"description":"d","packages":[1]}""")]
    [InlineData("debian_packages", """{"description":"d","debian_packages":["--option"]}""")]
    [InlineData("environment", """{"description":"d","environment":{"A-B":"x"}}""")]
    [InlineData("environment.A", """{"description":"d","environment":{"A":1}}""")]
    [InlineData("files", """{"description":"d","files":{"/etc/passwd":"x"}}""")]
    [InlineData("files", """{"description":"d","files":{"/workspace/../etc/passwd":"x"}}""")]
    [InlineData("root", """{"description":"d","root":"relative"}""")]
    [InlineData("limits", """{"description":"d","limits":3}""")]
    [InlineData("limits.memory_bytes", """{"description":"d","limits":{"memory_bytes":1}}""")]
    [InlineData("limits.speed", """{"description":"d","limits":{"speed":1}}""")]
    [InlineData("pool_size", """{"description":"d","pool_size":1001}""")]
    [InlineData("pool_size", """{"description":"d","pool_size":1.5}""")]
    [InlineData("zygote_children", """{"description":"d","zygote_children":0}""")]
    public void A_mistake_names_the_file_the_field_and_the_fix(string field, string json)
    {
        var error = Assert.Throws<CoveException>(() => Parse(json)).Error;
        Assert.Equal("invalid_template", error.Code);
        Assert.Contains("t.json", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{field}'", error.Message, StringComparison.Ordinal);
        Assert.StartsWith("Give ", error.Remediation, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_file_name_and_a_missing_directory_are_said()
    {
        Assert.Equal("invalid_template", Assert.Throws<CoveException>(() => Parse("""{"description":"d"}""", "Bad Name")).Error.Code);
        Assert.Equal("templates_missing", Assert.Throws<CoveException>(() => TemplateCatalog.Load("/nonexistent")).Error.Code);
    }

    [Fact]
    public void The_shipped_templates_load()
    {
        var catalog = TemplateCatalog.Load(Path.Combine(SourceTree.Root, "templates"));
        Assert.Contains("base", catalog.All.Select(t => t.Name));
        Assert.Contains("pandas", catalog.All.Single(t => t.Name == "python-data").Preload);
    }
}
