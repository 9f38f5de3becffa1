using Cove.Cli.Running;

namespace Cove.Cli.Shell;

/// <summary>An interactive session in one sandbox, against any Cove.</summary>
internal sealed class ShellSession(ICove cove, SandboxInfo sandbox, Language language, TimeSpan? timeout, string? outDirectory, Screen screen)
{
    private OutDirectory? _figures;
    private int _figure;

    /// <summary>Runs cells until the input ends; returns the exit code of the last one.</summary>
    public async Task<int> RunAsync(CellReader cells, History history)
    {
        var exitCode = ExitCodes.Ok;
        while (!screen.Deaf && cells.Read() is { } cell)
        {
            var line = cell.Trim();
            if (line is ":quit" or ":q" or "exit" or "exit()" or "quit" or "quit()")
            {
                break;
            }

            history.Add(cell);
            if (line.Length == 0)
            {
                continue;
            }

            try
            {
                var result = line[0] == ':' ? await CommandAsync(line) : await RunAsync(cell);
                exitCode = result is null ? ExitCodes.Ok : ExitCodes.Of(result);
                if (result is { Outcome: RunOutcome.InfrastructureFailure } || (result is { Error.Category: ErrorCategory.NotFound }))
                {
                    break; // the sandbox is gone; the error has said why
                }
            }
            catch (Exception failure) when (Errors.Known(failure) is { } known)
            {
                screen.Error(known.Error);
                exitCode = ExitCodes.Of(known.Error);
            }

            screen.Flush();
        }

        _figures?.Dispose();
        return screen.ExitCode(exitCode);
    }

    private async Task<RunResult?> RunAsync(string code)
    {
        var id = RunId.New();
        using var interrupts = new Interrupts(() => cove.KillRunAsync(sandbox.Id, id));
        RunResult? result = null;
        await using var events = cove.RunAsync(sandbox.Id, new RunRequest { Id = id, Code = code, Language = language, Timeout = timeout }, interrupts.Token).GetAsyncEnumerator();
        while (true)
        {
            var next = events.MoveNextAsync();
            if (!next.IsCompleted)
            {
                screen.Flush();
            }

            if (!await next)
            {
                return result;
            }

            switch (events.Current)
            {
                case RunOutput output:
                    screen.Write(output.Stream, output.Text);
                    break;
                case RunDisplay display:
                    await ShowAsync(display);
                    break;
                case RunNotice notice:
                    screen.Notice(notice.Message);
                    break;
                case RunCompleted completed:
                    result = completed.Result;
                    Outcomes.Show(screen, result);
                    if (result.StateLost)
                    {
                        screen.Notice("the interpreter was started anew; its variables are lost.");
                    }

                    break;
            }
        }
    }

    /// <summary>Text as text; a picture as a file, since a terminal shows none.</summary>
    private async Task ShowAsync(RunDisplay display)
    {
        if (Figures.Of(display.Data) is var (content, extension))
        {
            _figures ??= new OutDirectory(outDirectory ?? Directory.CreateTempSubdirectory("cove-").FullName);
            var name = $"figure-{++_figure}{extension}";
            try
            {
                await _figures.SaveAsync(name, new MemoryStream(content), 0x1A4, CancellationToken.None);
                screen.Line("[" + Path.Combine(_figures.DisplayPath, name) + "]");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                screen.Notice($"{name} was not saved: {failure.Message}");
            }
        }
        else if (display.Data.TryGetValue("text/plain", out var text) || display.Data.TryGetValue("text/markdown", out text))
        {
            screen.Line(text);
        }
        else
        {
            screen.Line("[" + string.Join(", ", display.Data.Keys) + "]");
        }
    }

    private async Task<RunResult?> CommandAsync(string line)
    {
        var words = line.Split(' ', 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var rest = words.Length > 1 ? words[1] : null;
        switch (words[0])
        {
            case ":files":
                foreach (var entry in await cove.ListFilesAsync(sandbox.Id, rest ?? "/workspace"))
                {
                    screen.Line($"{entry.SizeBytes,12}  {entry.ModifiedAt:yyyy-MM-dd HH:mm}  {Screen.Plain(entry.Path)}{(entry.Kind is FileKind.Directory ? "/" : "")}");
                }

                break;
            case ":upload" when rest is not null:
                await UploadAsync(rest);
                break;
            default:
                screen.Line(
                    """
                    :files [PATH]   what is in the sandbox (default /workspace)
                    :upload PATH    put a file of yours into /workspace
                    :quit           end the session (Ctrl-D, too)
                    Ctrl-C interrupts what is running; a second Ctrl-C kills it, and its variables are lost.
                    An unfinished cell goes on with the next line; an empty line ends a block, two end anything.
                    """);
                break;
        }

        return null;
    }

    private async Task UploadAsync(string path)
    {
        try
        {
            await using var content = Inputs.Open(path, ":upload");
            var entry = await cove.WriteFileAsync(sandbox.Id, "/workspace/" + Path.GetFileName(path), content);
            screen.Line($"{entry.Path} ({entry.SizeBytes} bytes)");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            screen.Notice(failure.Message);
        }
    }
}
