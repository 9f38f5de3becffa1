namespace Cove.Cli.Running;

/// <summary>The end of a run, for a reader.</summary>
internal static class Outcomes
{
    public static void Show(Screen screen, RunResult result)
    {
        if (result.Error is not { } error)
        {
            return;
        }

        if (error.Evidence?.Traceback is { Length: > 0 } traceback)
        {
            screen.ErrorLine(traceback);
        }

        // An exception or an exit code speaks for itself, as it does without Cove; everything else is explained.
        if (result.Outcome is not RunOutcome.GuestError)
        {
            screen.Error(error);
        }
        else if (error.Evidence?.Traceback is not { Length: > 0 } && error.Evidence?.ExceptionType is { } type)
        {
            screen.ErrorLine($"{type}: {error.Evidence.ExceptionMessage}");
        }
    }
}
