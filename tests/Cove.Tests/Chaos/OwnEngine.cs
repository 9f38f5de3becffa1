using Cove.Engine;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Tests.Chaos;

/// <summary>An engine of one test's own, whose processes the test may kill.</summary>
public sealed class OwnEngine : IAsyncDisposable
{
    private readonly TemporaryDirectory _state;

    private OwnEngine(TemporaryDirectory state, SandboxEngine engine)
    {
        _state = state;
        Engine = engine;
    }

    public SandboxEngine Engine { get; }

    public LauncherTree Tree => LauncherTree.Of(_state.Path);

    public static async Task<OwnEngine> StartAsync(int poolSize = 0)
    {
        var state = new TemporaryDirectory();
        return new OwnEngine(state, await LocalEngine.StartAsync(Options(state.Path, poolSize), TimeProvider.System, NullLogger.Instance));
    }

    /// <summary>The base template alone: quick to load, and quick to load again.</summary>
    public static LocalEngineOptions Options(string state, int poolSize)
    {
        var templates = Directory.CreateDirectory(Path.Combine(state, "templates")).FullName;
        File.Copy(Path.Combine(LiveEngine.Repository, "templates", "base.json"), Path.Combine(templates, "base.json"), overwrite: true);
        var options = LiveEngine.Options(poolSize);
        return options with { StateDirectory = state, Engine = options.Engine with { TemplatesDirectory = templates } };
    }

    public Task<TestSandbox> CreateAsync() => TestSandbox.CreateAsync(Engine);

    /// <summary>A sandbox and the two processes that came with it: its stem and its Python kernel.</summary>
    public async Task<(TestSandbox Sandbox, int Stem, int Kernel)> CreateKnownAsync()
    {
        var (stems, kernels) = (Tree.Stems, Tree.Kernels);
        var sandbox = await CreateAsync();
        var after = Tree;
        return (sandbox, after.Stems.Except(stems).Single(), after.Kernels.Except(kernels).Single());
    }

    public async ValueTask DisposeAsync()
    {
        await Hang.WatchAsync(Engine.DisposeAsync().AsTask());
        _state.Dispose();
    }
}
