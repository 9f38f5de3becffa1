using Xunit;

namespace Cove.Tests.Conformance;

public abstract class DisplayConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    private static readonly byte[] _png = [0x89, (byte)'P', (byte)'N', (byte)'G'];

    [Fact]
    public async Task A_data_frame_comes_as_html_and_text()
    {
        await using var sandbox = await SandboxAsync(Data);
        var run = await sandbox.PythonAsync("import pandas as pd\npd.DataFrame({'price': [1.5, 2.5], 'name': ['a', 'b']})");
        var result = Assert.Single(run.Displays);
        Assert.True(result.IsResult);
        Assert.Contains("<table", result.Data["text/html"], StringComparison.Ordinal);
        Assert.Contains("price", result.Data["text/plain"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plt.plot([1, 2]); plt.show()")]
    [InlineData("fig, ax = plt.subplots(); ax.bar(['a'], [1]); x = 1")]
    [InlineData("plt.figure(); plt.plot([3, 1]); None")]
    public async Task A_figure_shown_or_left_open_comes_back_as_one_png(string code)
    {
        await using var sandbox = await SandboxAsync(Data);
        var run = await sandbox.PythonAsync("import matplotlib.pyplot as plt\n" + code);
        AssertOk(run);
        Assert.Equal(_png, Png(Assert.Single(run.Displays, IsFigure)));
        Assert.DoesNotContain((await sandbox.PythonAsync("1")).Displays, IsFigure);
    }

    [Fact]
    public async Task Every_figure_left_open_comes_back_and_closed_ones_do_not()
    {
        await using var sandbox = await SandboxAsync(Data);
        var run = await sandbox.PythonAsync("import matplotlib.pyplot as plt\nfor i in range(3): plt.figure(); plt.plot([i])\nplt.close()\nplt.savefig('/tmp/kept.png')");
        Assert.Equal(2, run.Displays.Count(IsFigure));
    }

    [Fact]
    public async Task Objects_say_themselves_how_they_look()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync(
            "class M:\n    def _repr_mimebundle_(self, include=None, exclude=None): return {'text/plain': 'p', 'application/vnd.x+json': {'a': [1]}}\n" +
            "class H:\n    def _repr_html_(self): return '<i>h</i>'\n    def _repr_markdown_(self): return '*m*'\n    def _repr_png_(self): return b'\\x89PNG'"));
        var bundle = Assert.Single((await sandbox.PythonAsync("M()")).Displays).Data;
        Assert.Equal("p", bundle["text/plain"]);
        Assert.Equal("{\"a\":[1]}", bundle["application/vnd.x+json"].Replace(" ", "", StringComparison.Ordinal));
        var shown = Assert.Single((await sandbox.PythonAsync("H()")).Displays);
        Assert.Equal(("<i>h</i>", "*m*"), (shown.Data["text/html"], shown.Data["text/markdown"]));
        Assert.Equal(_png, Png(shown));
        Assert.Contains("H object", shown.Data["text/plain"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_larger_than_a_frame_arrives_whole()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("class Big:\n    def _repr_html_(self): return '<p>' + 'é' * 2_000_000 + '</p>'\nBig()");
        Assert.Equal(2_000_007, Assert.Single(run.Displays).Data["text/html"].Length);
    }

    [Fact]
    public async Task A_representation_that_fails_costs_only_itself()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("class Half:\n    def _repr_html_(self): return 1 / 0\n    def __repr__(self): return 'half'\nHalf()");
        Assert.Equal("half", run.Value);
    }

    [Fact]
    public async Task Too_much_display_is_cut_with_a_notice_and_the_run_goes_on()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("class Big:\n    def _repr_html_(self): return 'x' * 3_000_000\nfor _ in range(10): display(Big())\nprint('end')");
        Assert.Contains("end\n", run.Stdout, StringComparison.Ordinal);
        Assert.InRange(run.Displays.Sum(d => d.Data.Values.Sum(v => (long)v.Length)), 1, 17 << 20);
        Assert.NotEmpty(run.Notices);
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    private static bool IsFigure(RunDisplay display) => display.Data.ContainsKey("image/png");

    private static byte[] Png(RunDisplay display) => Convert.FromBase64String(display.Data["image/png"])[..4];
}
