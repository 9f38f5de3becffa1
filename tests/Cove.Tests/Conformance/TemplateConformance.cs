using Xunit;

namespace Cove.Tests.Conformance;

public abstract class TemplateConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task The_data_template_has_its_modules_loaded_before_the_first_run()
    {
        await using var sandbox = await SandboxAsync(Data);
        Assert.Equal("True True True", await sandbox.PrintedAsync("import sys; print(*(m in sys.modules for m in ('numpy', 'pandas', 'matplotlib.pyplot')))"));
        Assert.Equal("6", (await sandbox.PythonAsync("import pandas as pd; int(pd.DataFrame({'a': [1, 2, 3]}).a.sum())")).Value);
    }

    [Theory]
    [InlineData("scipy")]
    [InlineData("openpyxl")]
    [InlineData("PIL")]
    [InlineData("requests")]
    [InlineData("yaml")]
    [InlineData("pytest")]
    public async Task The_data_template_can_import(string module)
    {
        await using var sandbox = await SandboxAsync(Data);
        var info = (await sandbox.Cove.ListTemplatesAsync()).Single(t => t.Name == "python-data");
        Assert.SkipUnless(info.Packages.ContainsKey(module), $"The host has no {module}; the template says so, too.");
        Assert.Equal(module, await sandbox.PrintedAsync($"import {module}; print({module}.__name__)"));
    }

    [Fact]
    public async Task The_base_template_has_nothing_loaded()
    {
        await using var sandbox = await SandboxAsync();
        Assert.Equal("False False", await sandbox.PrintedAsync("import sys; print('numpy' in sys.modules, 'pandas' in sys.modules)"));
    }

    [Fact]
    public async Task What_a_template_offers_is_what_was_found()
    {
        await using var sandbox = await SandboxAsync(Data);
        var info = (await sandbox.Cove.ListTemplatesAsync()).Single(t => t.Name == "python-data");
        Assert.Equal(["numpy", "pandas", "matplotlib.pyplot"], info.Preload);
        Assert.Equal(await sandbox.PrintedAsync("import numpy; print(numpy.__version__)"), info.Packages["numpy"]);
        Assert.Equal(await sandbox.PrintedAsync("import platform; print(platform.python_version())"), info.Languages["python"]);
        Assert.StartsWith("5.", info.Languages["bash"], StringComparison.Ordinal);
    }
}
