using Cove.Engine.Isolation;
using Cove.Engine.Journal;
using Cove.Engine.Kernels;
using Cove.Engine.Pool;
using Cove.Engine.Runs;
using Cove.Engine.Sandboxes;
using Cove.Engine.Templates;
using Microsoft.Extensions.Logging;

namespace Cove.Engine;

/// <summary>
/// The one door: every front-end's every request comes through here. It checks what was asked and passes it on; sandboxes,
/// runs, pools and files each know their own part.
/// </summary>
public sealed partial class SandboxEngine : ICove
{
    private readonly IIsolationBackend _backend;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SandboxTable _sandboxes = new();
    private Running? _running;
    private EngineGauges? _gauges;
    private Journals? _journals;

    internal SandboxEngine(IIsolationBackend backend, EngineOptions options, TimeProvider time, ILogger logger)
    {
        _backend = backend;
        _options = options;
        _time = time;
        _logger = logger;
    }

    /// <summary>The boundary it draws. Known once <see cref="StartAsync"/> has returned.</summary>
    public IsolationTier Tier => _backend.Tier;

    internal IIsolationBackend Backend => _backend;

    /// <summary>What a live sandbox lives in.</summary>
    internal Cell? CellOf(SandboxId sandbox) => _sandboxes.Find(sandbox)?.Cell;

    /// <summary>What is alive in it.</summary>
    internal EngineCensus Census() => new(
        _sandboxes.Live().GroupBy(s => s.State).ToDictionary(g => g.Key, g => g.Count()), _sandboxes.Live().Sum(s => s.Runs), Volatile.Read(ref _running)?.Desk.Parked ?? EngineCensus.Empty.Parked);

    /// <summary>Checks the options, reads and loads the templates, starts the backend and begins to fill the pools.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        _options.Validate();
        var ends = new Ends(_options, _logger);
        _journals = new Journals(_options, _time, _logger);
        foreach (var (lost, runs) in _journals.Recover())
        {
            _sandboxes.AddEnded(lost);
            runs.ToList().ForEach(run => ends.Tell(new RunEnd(run, null)));
            ends.Tell(new SandboxEnd(lost, null));
        }

        var catalog = TemplateCatalog.Load(_options.TemplatesDirectory, _options.AddedTemplatesDirectory);
        await _backend.StartAsync(cancellationToken);
        var templates = new Dictionary<string, LoadedTemplate>();
        foreach (var template in catalog.All)
        {
            templates.Add(template.Name, new LoadedTemplate(template, await _backend.PrepareAsync(template, cancellationToken)));
        }

        var settings = new RunSettings(_time, _options.InterruptGrace, _backend.Tier, _logger, _journals, ends);
        var factory = new CellFactory(_backend, _options.CreateConcurrency, _time);
        var desk = new ClaimDesk(templates, factory, _options, settings, _sandboxes);
        _running = new Running(templates, settings, desk);
        desk.Start();
        _gauges = new EngineGauges(this, Census);
        _logger.EngineStarted(_backend.Tier.Backend, _backend.Tier.Privilege, templates.Count);
    }

    /// <inheritdoc/>
    public async Task<SandboxInfo> CreateSandboxAsync(SandboxRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var running = Live();
        var plan = SandboxRules.Check(request, running.Templates);
        var sandbox = await running.Desk.ClaimAsync(plan, SandboxRules.CreateTimeout(request), cancellationToken);
        return sandbox.Info;
    }

    /// <inheritdoc/>
    public Task<SandboxInfo> GetSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        Task.FromResult(_sandboxes.Describe(Checked(sandbox)));

    /// <inheritdoc/>
    public Task<SandboxPage> ListSandboxesAsync(SandboxFilter? filter = null, CancellationToken cancellationToken = default)
    {
        filter ??= new SandboxFilter();
        var after = SandboxListing.Check(filter);
        return Task.FromResult(SandboxListing.Page(filter.States is null ? _sandboxes.NotEnded() : _sandboxes.All(), filter, after));
    }

    /// <inheritdoc/>
    public Task<SandboxInfo> ExtendSandboxAsync(SandboxId sandbox, SandboxExtension extension, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(extension);
        SandboxRules.Check(extension);
        return Task.FromResult(_sandboxes.Open(Checked(sandbox)).Extend(extension));
    }

    /// <inheritdoc/>
    public Task DeleteSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        _sandboxes.FindToEnd(Checked(sandbox))?.KillAsync(SandboxEndReason.Deleted).WaitAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public Task<SandboxUsage> GetUsageAsync(SandboxId sandbox, CancellationToken cancellationToken = default) => InSandboxAsync(sandbox, async found =>
    {
        var usage = found.Cell.ReadUsage();
        var (bytes, inodes) = await found.Files.UsageAsync(cancellationToken);
        return new SandboxUsage
        {
            MemoryBytes = usage.MemoryBytes,
            PeakMemoryBytes = usage.PeakMemoryBytes,
            CpuTime = usage.CpuNanoseconds is { } nanoseconds ? TimeSpan.FromTicks(nanoseconds / 100) : null,
            Pids = usage.Pids,
            DiskBytes = bytes,
            Inodes = inodes,
        };
    });

    /// <inheritdoc/>
    public Task<IReadOnlyList<KernelInfo>> ListKernelsAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        InSandboxAsync(sandbox, found => Task.FromResult(found.Kernels.List()));

    /// <inheritdoc/>
    public Task<KernelInfo> CreateKernelAsync(SandboxId sandbox, string kernel, Language language, CancellationToken cancellationToken = default) =>
        InSandboxAsync(sandbox, found => KernelCalls.CreateAsync(found, kernel, language, cancellationToken));

    /// <inheritdoc/>
    public Task<KernelInfo> RestartKernelAsync(SandboxId sandbox, string kernel, CancellationToken cancellationToken = default) =>
        InSandboxAsync(sandbox, found => KernelCalls.RestartAsync(found, kernel, cancellationToken));

    /// <inheritdoc/>
    public Task DeleteKernelAsync(SandboxId sandbox, string kernel, CancellationToken cancellationToken = default) =>
        InSandboxAsync(sandbox, found => KernelCalls.DeleteAsync(found, kernel, cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<TemplateInfo>> ListTemplatesAsync(CancellationToken cancellationToken = default) => Task.FromResult(Live().TemplateInfos);

    /// <summary>Ends every sandbox and stops the backend.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _running, null) is { } running)
        {
            await running.Desk.DisposeAsync();
            await Task.WhenAll(_sandboxes.Live().Select(s => s.DisposeAsync().AsTask()));
            _gauges?.Dispose();
            _logger.EngineStopped();
        }

        await _backend.DisposeAsync();
        Interlocked.Exchange(ref _journals, null)?.Dispose();
    }

    private Running Live() => Volatile.Read(ref _running) ?? throw Refusals.EngineStopped();

    private static SandboxId Checked(SandboxId id) =>
        SandboxId.TryParse(id.Value, out _) ? id : throw Refusals.InvalidRequest("sandbox", id.Value ?? "null", "1 to 40 characters of a-z and 0-9");

    /// <summary>Calls into a live sandbox; while the call is in progress it is not idle, and its death is reported as its end.</summary>
    private async Task<T> InSandboxAsync<T>(SandboxId id, Func<Sandbox, Task<T>> call)
    {
        Live();
        var sandbox = _sandboxes.Open(Checked(id));
        using var use = sandbox.BeginUse();
        try
        {
            return await call(sandbox);
        }
        catch (CellGoneException)
        {
            throw Refusals.SandboxEnded(id, sandbox.EndReason ?? SandboxEndReason.Died);
        }
    }

    private sealed record Running(IReadOnlyDictionary<string, LoadedTemplate> Templates, RunSettings Settings, ClaimDesk Desk)
    {
        public IReadOnlyList<TemplateInfo> TemplateInfos { get; } = [.. Templates.Values.Select(t => t.Info).OrderBy(t => t.Name, StringComparer.Ordinal)];

        public RunCompleted Refused(RunError error) => new()
        {
            Sequence = 1,
            Time = Settings.Time.GetUtcNow(),
            Result = new RunResult { Outcome = RunOutcome.Refused, Error = error, Duration = TimeSpan.Zero, Isolation = Settings.Tier },
        };
    }
}
