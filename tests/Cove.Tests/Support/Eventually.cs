using Xunit;

namespace Cove.Tests.Support;

/// <summary>Waits for what other threads do, without a fixed pause: the bound is only met by a test that fails.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static async Task Holds(Func<bool> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, $"This never came true: {what}.");
            await BreatheAsync();
            await PauseAsync();
        }
    }

    public static async Task Holds(Func<Task<bool>> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, $"This never came true: {what}.");
            await BreatheAsync();
            await PauseAsync();
        }
    }

    public static async Task<T> Within<T>(Task<T> task) => await task.WaitAsync(Limit);

    public static async Task Within(Task task) => await task.WaitAsync(Limit);

    /// <summary>Gives the processor to what is waited for: many tests wait side by side on few processors.</summary>
    private static Task PauseAsync() => Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);

    /// <summary>Lets what is queued on the thread pool run: until nothing waits there any more, or for some rounds when others keep it busy.</summary>
    public static async Task BreatheAsync()
    {
        for (var i = 0; i < 20 || (i < 500 && ThreadPool.PendingWorkItemCount > 0); i++)
        {
            await Task.Yield();
        }
    }
}
