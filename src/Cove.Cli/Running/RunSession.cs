using System.Text;

namespace Cove.Cli.Running;

/// <summary>One <c>cove run</c> from its files to its exit code, against any Cove.</summary>
internal sealed class RunSession : IDisposable
{
    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private readonly List<ReportedDisplay> _displays = [];
    private readonly List<ReportedNotice> _notices = [];
    private readonly List<(byte[] Content, string Extension)> _figures = [];
    private readonly Inputs _inputs = new();
    private OutDirectory? _directory;
    private Submission? _program;

    /// <summary>Where it is shown. Default: standard output and standard error.</summary>
    public Screen Screen { get; init; } = new();

    public required Func<Submission> ReadProgram { get; init; }

    public required SandboxRequest Request { get; init; }

    public required IReadOnlyList<string> Files { get; init; }

    public TimeSpan? Timeout { get; init; }

    public string? OutDirectory { get; init; }

    public bool Json { get; init; }

    /// <summary>Reads what is to be run and opens what is to be sent and where it goes, so that mistakes show before anything is started.</summary>
    public void Prepare()
    {
        // Files first: a program from standard input is typed or piped only once.
        _inputs.Open(Files);
        _directory = OutDirectory is null ? null : new OutDirectory(OutDirectory);
        _program = ReadProgram();
    }

    public async Task<int> RunAsync(ICove cove) => await RunAsync(cove, await cove.CreateSandboxAsync(Request));

    /// <summary>Runs it in a sandbox that was made for it, which goes with it.</summary>
    public async Task<int> RunAsync(ICove cove, SandboxInfo sandbox)
    {
        var program = _program ?? throw new InvalidOperationException("Prepare comes first.");
        try
        {
            var id = RunId.New();
            using var interrupts = new Interrupts(() => cove.KillRunAsync(sandbox.Id, id));
            foreach (var (name, content) in _inputs.Files)
            {
                await cove.WriteFileAsync(sandbox.Id, "/workspace/" + name, content, cancellationToken: interrupts.Token);
            }

            var artifacts = new Artifacts(cove, sandbox, Screen);
            var wanted = _directory is not null || Json;
            if (wanted)
            {
                await artifacts.RememberAsync(interrupts.Token);
            }

            var result = await SubmitAsync(cove, sandbox.Id, id, program, interrupts);
            var changed = wanted ? await artifacts.ChangedAsync(CancellationToken.None) : [];
            var files = await CollectAsync(artifacts, changed, _directory);
            return Finish(result, sandbox, id, files);
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        finally
        {
            await DeleteAsync(cove, sandbox.Id);
            Screen.Flush();
        }
    }

    public void Dispose()
    {
        _inputs.Dispose();
        _directory?.Dispose();
    }

    private async Task<RunResult> SubmitAsync(ICove cove, SandboxId sandbox, RunId id, Submission program, Interrupts interrupts)
    {
        if (program.NeedsArguments)
        {
            var arguments = Languages.ArgumentsCode(program.Language, program.Name, program.Arguments);
            var told = await FollowAsync(cove.RunAsync(sandbox, new RunRequest { Code = arguments, Language = program.Language }, interrupts.Token), program, interrupts);
            if (told.Outcome is not RunOutcome.Ok)
            {
                return told;
            }
        }

        var request = new RunRequest { Id = id, Code = program.Code, Language = program.Language, Timeout = Timeout };
        return await FollowAsync(cove.RunAsync(sandbox, request, interrupts.Token), program, interrupts);
    }

    private async Task<RunResult> FollowAsync(IAsyncEnumerable<RunEvent> run, Submission program, Interrupts interrupts)
    {
        RunResult? result = null;
        await using var events = run.GetAsyncEnumerator();
        while (true)
        {
            // Output at full speed is written in large pieces; as soon as nothing more is at hand, what is there is shown.
            var next = events.MoveNextAsync();
            if (!next.IsCompleted)
            {
                Screen.Flush();
                if (Screen.Deaf)
                {
                    interrupts.Interrupt();
                }
            }

            if (!await next)
            {
                return result ?? throw new InvalidOperationException("A run ended without its completed event.");
            }

            result = (events.Current as RunCompleted)?.Result ?? result;
            Take(events.Current, program);
        }
    }

    private void Take(RunEvent next, Submission program)
    {
        switch (next)
        {
            case RunOutput output when Json:
                (output.Stream is OutputStream.Stdout ? _stdout : _stderr).Append(output.Text);
                break;
            case RunOutput output:
                Screen.Write(output.Stream, output.Text);
                break;
            case RunDisplay display:
                Take(display, program);
                break;
            case RunNotice notice when Json:
                _notices.Add(new ReportedNotice(notice.Code, notice.Message));
                break;
            case RunNotice notice when OneShot.Concerns(notice):
                Screen.Notice(notice.Message);
                break;
        }
    }

    private void Take(RunDisplay display, Submission program)
    {
        if (Figures.Of(display.Data) is { } figure)
        {
            _figures.Add(figure);
        }
        else if (!Json && (!display.IsResult || program.Inline) && display.Data.TryGetValue("text/plain", out var text))
        {
            // A script behaves like a script: only what it shows is printed. With -c the last value is what was asked for.
            Screen.Line(text);
        }

        if (Json)
        {
            _displays.Add(new ReportedDisplay(display.IsResult, display.Data));
        }
    }

    private async Task<IReadOnlyList<ReportedFile>> CollectAsync(Artifacts artifacts, IReadOnlyList<FileEntry> changed, OutDirectory? directory)
    {
        if (directory is null)
        {
            if (_figures.Count > 0 && !Json)
            {
                Screen.Notice($"{_figures.Count} figure{(_figures.Count == 1 ? " was" : "s were")} shown; --out DIR saves them.");
            }

            return [.. changed.Select(file => new ReportedFile(file.Path, file.SizeBytes, null))];
        }

        var saved = await artifacts.SaveAsync(changed, directory, CancellationToken.None);
        var figures = await Figures.SaveAsync(_figures, directory, saved.Values, Screen, CancellationToken.None);
        if (!Json)
        {
            foreach (var name in saved.Values.Concat(figures.OfType<string>()))
            {
                Screen.Notice("saved " + Path.Combine(directory.DisplayPath, name));
            }
        }

        return [
            .. changed.Select(file => new ReportedFile(file.Path, file.SizeBytes, saved.GetValueOrDefault(file.Path))),
            .. figures.Select((name, i) => new ReportedFile(null, _figures[i].Content.Length, name))];
    }

    private int Finish(RunResult result, SandboxInfo sandbox, RunId id, IReadOnlyList<ReportedFile> files)
    {
        var exitCode = ExitCodes.Of(result);
        if (Json)
        {
            Screen.Line(new PrintedReport
            {
                Result = result,
                ExitCode = exitCode,
                Stdout = _stdout.ToString(),
                Stderr = _stderr.ToString(),
                Displays = _displays,
                Notices = _notices,
                Files = files,
                Sandbox = sandbox,
                Run = id,
            }.ToJson());
        }
        else
        {
            // Before it is said how the run ended: an interruption that came of a lost reader needs no explanation.
            Screen.Flush();
            if (!Screen.Deaf)
            {
                Outcomes.Show(Screen, result.Error is { } error ? result with { Error = OneShot.Of(error) } : result);
            }
        }

        return Screen.ExitCode(exitCode);
    }

    private async Task DeleteAsync(ICove cove, SandboxId sandbox)
    {
        try
        {
            await cove.DeleteSandboxAsync(sandbox);
        }
        catch (CoveException failure)
        {
            // Its idle timeout ends it; what the program did and returned stands.
            Screen.Notice("the sandbox could not be deleted: " + failure.Error.Message);
        }
    }
}
