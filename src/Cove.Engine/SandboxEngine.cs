using System.Runtime.CompilerServices;
using Cove.Engine.Files;
using Cove.Engine.Isolation;
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
public sealed class SandboxEngine : ICove
{
    private readonly IIsolationBackend _backend;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SandboxTable _sandboxes = new();
    private Running? _running;

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

    /// <summary>Checks the options, reads and loads the templates, starts the backend and begins to fill the pools.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        _options.Validate();
        var catalog = TemplateCatalog.Load(_options.TemplatesDirectory, _options.AddedTemplatesDirectory);
        await _backend.StartAsync(cancellationToken);
        var templates = new Dictionary<string, LoadedTemplate>();
        foreach (var template in catalog.All)
        {
            templates.Add(template.Name, new LoadedTemplate(template, await _backend.PrepareAsync(template, cancellationToken)));
        }

        var settings = new RunSettings(_time, _options.InterruptGrace, _backend.Tier, _logger);
        var factory = new CellFactory(_backend, _options.CreateConcurrency, _time);
        var desk = new ClaimDesk(templates, factory, _options, settings, _sandboxes);
        _running = new Running(templates, settings, desk);
        desk.Start();
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
    public Task<IReadOnlyList<SandboxInfo>> ListSandboxesAsync(CancellationToken cancellationToken = default) => Task.FromResult(_sandboxes.List());

    /// <inheritdoc/>
    public Task DeleteSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        _sandboxes.FindToEnd(Checked(sandbox))?.EndAsync(SandboxEndReason.Deleted).WaitAsync(cancellationToken) ?? Task.CompletedTask;

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
    /// <remarks>
    /// A refused run yields its <see cref="RunCompleted"/> alone. After a cancellation the events go on to the terminal one;
    /// who leaves the enumeration early has the run interrupted and waits until it ended.
    /// </remarks>
    public async IAsyncEnumerable<RunEvent> RunAsync(
        SandboxId sandbox, RunRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var running = Live();
        var (found, run) = Admit(sandbox, request, out var refusal);
        if (found is null || run is null)
        {
            yield return running.Refused(refusal!);
            yield break;
        }

        var pipeline = new RunPipeline(found, run, request, running.Settings).RunToEndAsync();
        await using var registration = cancellationToken.UnsafeRegister(static state => ((Run)state!).Stop.Request(StopReason.Interrupt), run);
        try
        {
            await foreach (var next in run.Events.ReadAsync())
            {
                yield return next;
            }
        }
        finally
        {
            run.Stop.Request(StopReason.Interrupt); // of a run that ended: nothing
            run.Events.Release();
            await pipeline;
        }
    }

    /// <inheritdoc/>
    public Task InterruptRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) => StopRun(sandbox, run, StopReason.Interrupt);

    /// <inheritdoc/>
    public Task KillRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) => StopRun(sandbox, run, StopReason.Kill);

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
    public Task<Stream> ReadFileAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        return InSandboxAsync(sandbox, found => found.Files.ReadAsync(path, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<FileEntry> WriteFileAsync(
        SandboxId sandbox, string path, Stream content, FileWriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        options ??= new FileWriteOptions();
        FileRules.Path("path", path);
        FileRules.Options(options);
        return InSandboxAsync(sandbox, found => found.Files.WriteAsync(path, content, options, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<FileEntry> StatFileAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        return InSandboxAsync(sandbox, found => found.Files.StatAsync(path, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<FileEntry>> ListFilesAsync(SandboxId sandbox, string path, int depth = 1, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        FileRules.Depth(depth);
        return InSandboxAsync(sandbox, found => found.Files.ListAsync(path, depth, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<FileEntry> MakeDirectoryAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        return InSandboxAsync(sandbox, found => found.Files.MakeDirectoryAsync(path, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<FileEntry> MoveFileAsync(SandboxId sandbox, string from, string to, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        FileRules.Path("from", from);
        FileRules.Path("to", to);
        return InSandboxAsync(sandbox, found => found.Files.MoveAsync(from, to, overwrite, cancellationToken));
    }

    /// <inheritdoc/>
    public Task RemoveFileAsync(SandboxId sandbox, string path, bool recursive = false, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        return InSandboxAsync(sandbox, async found =>
        {
            await found.Files.RemoveAsync(path, recursive, cancellationToken);
            return true;
        });
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<TemplateInfo>> ListTemplatesAsync(CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<TemplateInfo>>(
        [.. Live().Templates.Values.Select(t => t.Info).OrderBy(t => t.Name, StringComparer.Ordinal)]);

    /// <summary>Ends every sandbox and stops the backend.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _running, null) is { } running)
        {
            await running.Desk.DisposeAsync();
            await Task.WhenAll(_sandboxes.Live().Select(s => s.DisposeAsync().AsTask()));
            _logger.EngineStopped();
        }

        await _backend.DisposeAsync();
    }

    private Running Live() => Volatile.Read(ref _running) ?? throw Refusals.EngineStopped();

    private static SandboxId Checked(SandboxId id) =>
        SandboxId.TryParse(id.Value, out _) ? id : throw Refusals.InvalidRequest("sandbox", id.Value ?? "null", "1 to 40 characters of a-z and 0-9");

    private (Sandbox? Sandbox, Run? Run) Admit(SandboxId id, RunRequest request, out RunError? refusal)
    {
        try
        {
            var sandbox = _sandboxes.Open(Checked(id));
            refusal = RunRules.Check(request);
            return (sandbox, refusal is null ? sandbox.Admit(request.Id, out refusal) : null);
        }
        catch (CoveException exception)
        {
            refusal = exception.Error;
            return (null, null);
        }
    }

    private Task StopRun(SandboxId sandbox, RunId run, StopReason reason)
    {
        if (_sandboxes.FindToEnd(Checked(sandbox))?.FindRun(run) is { } found)
        {
            found.Stop.Request(reason);
        }

        return Task.CompletedTask;
    }

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
        public RunCompleted Refused(RunError error) => new()
        {
            Sequence = 1,
            Time = Settings.Time.GetUtcNow(),
            Result = new RunResult { Outcome = RunOutcome.Refused, Error = error, Duration = TimeSpan.Zero, Isolation = Settings.Tier },
        };
    }
}
