namespace Cove.Server.State;

/// <summary>
/// Lets the first of some things wait for the others, so that who takes them is not woken for each; unless one is in a hurry. By the machine's own
/// clock: nothing is decided by it.
/// </summary>
internal sealed class Linger(TimeSpan time)
{
    private TaskCompletionSource _hurry = New();

    /// <summary>Waits, at most for the time that was given. What is urgent is noted before <see cref="Hurry"/> is called.</summary>
    public async Task WaitAsync(Func<bool> isUrgent)
    {
        var hurry = Volatile.Read(ref _hurry); // first: who hurries after the question is heard
        if (isUrgent())
        {
            return;
        }

        using var over = new CancellationTokenSource();
        await Task.WhenAny(hurry.Task, Task.Delay(time, TimeProvider.System, over.Token));
        await over.CancelAsync();
    }

    /// <summary>Ends the waiting.</summary>
    public void Hurry() => Interlocked.Exchange(ref _hurry, New()).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
