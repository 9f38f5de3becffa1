using Cove.Engine;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

[assembly: AssemblyFixture(typeof(LiveEngine))]

namespace Cove.Tests.Support;

/// <summary>
/// The real engine on this host, shared by all tests that need one and started by the first of them. COVE_TEST_PRIVILEGE says how this test
/// process was started (root, delegated, bare): the same suites run all three ways.
/// </summary>
public sealed class LiveEngine : IAsyncLifetime
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private SandboxEngine? _engine;
    private SandboxEngine? _patient;

    public static string Privilege { get; } = Environment.GetEnvironmentVariable("COVE_TEST_PRIVILEGE") ?? (Environment.IsPrivilegedProcess ? "root" : "bare");

    /// <summary>The repository, found from the test binary's place or named by COVE_REPOSITORY.</summary>
    public static string Repository { get; } = Environment.GetEnvironmentVariable("COVE_REPOSITORY") ?? FindRepository();

    public static LocalEngineOptions Options(int? poolSize = null) => new()
    {
        Engine = new EngineOptions
        {
            TemplatesDirectory = Path.Combine(Repository, "templates"),
            PoolSize = poolSize ?? 2,
            AllowDegraded = Privilege == "bare" ? new HashSet<string> { "memory", "cpu" } : new HashSet<string>(),
        },
        GuestDirectory = Path.Combine(Repository, "guest"),
        StateDirectory = StateDirectory,
    };

    public static string StateDirectory { get; } = TemporaryPlace.Make().FullName;

    public Task<SandboxEngine> GetAsync() => StartedAsync(async () => _engine ??= await StartAsync(Options()));

    /// <summary>
    /// Another, shared likewise, that waits longer for what it interrupts: on a slow and busy host an honest kernel may not get the processor within
    /// the second that is usual, and tests look at what it kept.
    /// </summary>
    public Task<SandboxEngine> PatientAsync() => StartedAsync(async () =>
    {
        var options = Options();
        return _patient ??= await StartAsync(options with { Engine = options.Engine with { InterruptGrace = TimeSpan.FromSeconds(10) } });
    });

    /// <summary>Waits until it starts nothing by itself: what tests took from its pools was made again.</summary>
    public async Task RestedAsync()
    {
        await GetAsync();
        SandboxEngine?[] engines = [_engine, _patient];
        await Eventually.Holds(() => engines.OfType<SandboxEngine>().All(e => e.Census().Parked.Values.All(parked => parked == Options().Engine.PoolSize)), "the shared engines' pools are full");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var engine in new[] { _engine, _patient }.OfType<SandboxEngine>())
        {
            await engine.DisposeAsync();
        }

        _gate.Dispose();
        TemporaryPlace.Remove(); // an assembly's fixture is disposed after the last test
    }

    private static Task<SandboxEngine> StartAsync(LocalEngineOptions options) => LocalEngine.StartAsync(options, TimeProvider.System, NullLogger.Instance);

    private async Task<SandboxEngine> StartedAsync(Func<Task<SandboxEngine>> start)
    {
        await _gate.WaitAsync();
        try
        {
            return await start();
        }
        finally
        {
            _gate.Release();
        }
    }

    private static string FindRepository()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Cove.slnx")))
            {
                return directory.FullName;
            }
        }

        throw new InvalidOperationException("Set COVE_REPOSITORY to the repository's directory.");
    }
}
