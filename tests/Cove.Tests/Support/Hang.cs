using Xunit;

namespace Cove.Tests.Support;

/// <summary>Waits that end only when something hangs; no test depends on how long anything takes.</summary>
public static class Hang
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(20);

    public static Task<T> WatchAsync<T>(Task<T> task) => task.WaitAsync(Limit, TimeProvider.System);

    public static Task WatchAsync(Task task) => task.WaitAsync(Limit, TimeProvider.System);

    /// <summary>Waits for what nobody announces.</summary>
    public static Task UntilAsync(Func<bool> holds, string what) => UntilAsync(() => Task.FromResult(holds()), what);

    /// <summary>Waits for what nobody announces.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, $"It never came to this: {what}");
            await Task.Delay(_pause, TimeProvider.System);
        }
    }
}
