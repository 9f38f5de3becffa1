using System.Text;

namespace Cove.Cli.Running;

/// <summary>One <c>cove run</c> from its files to its exit code, against any Cove.</summary>
internal sealed class RunSession
{
    private readonly Screen _screen = new();
    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private readonly List<ReportedDisplay> _displays = [];
    private readonly List<ReportedNotice> _notices = [];
    private readonly List<(byte[] Content, string Extension)> _figures = [];
    private Submission? _program;

    public required Func<Submission> ReadProgram { get; init; }

    public required SandboxRequest Request { get; init; }

    public required IReadOnlyList<string> Files { get; init; }

    public TimeSpan? Timeout { get; init; }

    public string? OutDirectory { get; init; }

    public bool Json { get; init; }

    /// <summary>Reads what is to be run and looks at what is to be sent, so that mistakes show before anything is started.</summary>
    public void Prepare()
    {
        _program = ReadProgram();
        foreach (var file in Files.Where(file => !File.Exists(file)))
        {
            throw Errors.Usage("file_missing", $"--file {file} is not there, or is no file.", "Check its path; directories are not taken.");
        }

        if (Files.GroupBy(Path.GetFileName).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw Errors.Usage("file_twice", $"Two --file options are called {twice.Key}.", "Both would be /workspace/" + twice.Key + "; rename one.");
        }
    }

    public async Task<int> RunAsync(ICove cove)
    {
        var program = _program ?? throw new InvalidOperationException("Prepare comes first.");
        using var directory = OutDirectory is null ? null : new OutDirectory(OutDirectory);
        var sandbox = await cove.CreateSandboxAsync(Request);
        try
        {
            var id = RunId.New();
            using var interrupts = new Interrupts(() => cove.KillRunAsync(sandbox.Id, id));
            foreach (var file in Files)
            {
                await using var content = File.OpenRead(file);
                await cove.WriteFileAsync(sandbox.Id, "/workspace/" + Path.GetFileName(file), content, cancellationToken: interrupts.Token);
            }

            var artifacts = new Artifacts(cove, sandbox, _screen);
            var wanted = directory is not null || Json;
            if (wanted)
            {
                await artifacts.RememberAsync(interrupts.Token);
            }

            var result = await SubmitAsync(cove, sandbox.Id, id, program, interrupts);
            var changed = wanted ? await artifacts.ChangedAsync(CancellationToken.None) : [];
            var files = await CollectAsync(artifacts, changed, directory);
            return Finish(result, sandbox, id, files);
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        finally
        {
            await DeleteAsync(cove, sandbox.Id);
            _screen.Flush();
        }
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
                _screen.Flush();
                if (_screen.Broken)
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
                _screen.Write(output.Stream, output.Text);
                break;
            case RunDisplay display:
                Take(display, program);
                break;
            case RunNotice notice when Json:
                _notices.Add(new ReportedNotice(notice.Code, notice.Message));
                break;
            case RunNotice notice:
                _screen.Notice(notice.Message);
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
            _screen.Line(text);
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
                _screen.Notice($"{_figures.Count} figure{(_figures.Count == 1 ? " was" : "s were")} shown; --out DIR saves them.");
            }

            return [.. changed.Select(file => new ReportedFile(file.Path, file.SizeBytes, null))];
        }

        var saved = await artifacts.SaveAsync(changed, directory, CancellationToken.None);
        var figures = await Figures.SaveAsync(_figures, directory, saved.Values, CancellationToken.None);
        if (!Json)
        {
            foreach (var name in saved.Values.Concat(figures))
            {
                _screen.Notice("saved " + Path.Combine(directory.DisplayPath, name));
            }
        }

        return [
            .. changed.Select(file => new ReportedFile(file.Path, file.SizeBytes, saved.GetValueOrDefault(file.Path))),
            .. figures.Select((name, i) => new ReportedFile(null, _figures[i].Content.Length, name))];
    }

    private int Finish(RunResult result, SandboxInfo sandbox, RunId id, IReadOnlyList<ReportedFile> files)
    {
        var exitCode = _screen.Broken ? ExitCodes.BrokenPipe : ExitCodes.Of(result);
        if (Json)
        {
            _screen.Line(new RunReport
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
        else if (!_screen.Broken)
        {
            Outcomes.Show(_screen, result);
        }

        return exitCode;
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
            _screen.Notice("the sandbox could not be deleted: " + failure.Error.Message);
        }
    }
}
