namespace Cove.Cli.Running;

/// <summary>Shows a run's events as they come; its figures stay in the sandbox.</summary>
internal sealed class RunPrinter(Screen screen)
{
    /// <summary>Shows all of them; returns the exit code that the run's end stands for.</summary>
    public async Task<int> PrintAsync(IAsyncEnumerable<RunEvent> run)
    {
        var exitCode = ExitCodes.Infrastructure;
        await using var events = run.GetAsyncEnumerator();
        while (true)
        {
            var next = events.MoveNextAsync();
            if (!next.IsCompleted)
            {
                screen.Flush();
            }

            if (!await next)
            {
                return screen.ExitCode(exitCode);
            }

            if (events.Current is RunCompleted { Result: var result })
            {
                exitCode = ExitCodes.Of(result);
            }

            Print(events.Current);
        }
    }

    private void Print(RunEvent next)
    {
        switch (next)
        {
            case RunOutput output:
                screen.Write(output.Stream, output.Text);
                break;
            case RunDisplay { Data: var data } when data.TryGetValue("text/plain", out var text):
                screen.Line(text);
                break;
            case RunNotice notice:
                screen.Notice(notice.Message);
                break;
            case RunCompleted { Result: var result }:
                screen.Flush();
                Outcomes.Show(screen, result);
                break;
        }
    }
}
