using Cove.Engine.Guest;
using Cove.Engine.Isolation;

namespace Cove.Engine.Kernels;

/// <summary>A kernel process that said hello.</summary>
internal sealed record GreetedKernel(CellProcess Process, Greeting Greeting);

/// <summary>Starts kernel processes. Stateless; the pool does all of it ahead of time, a claim with wishes of its own the second half again.</summary>
internal static class KernelStarter
{
    /// <summary>Starts a process and waits for its hello. What was started is killed when it does not greet.</summary>
    public static async Task<GreetedKernel> GreetAsync(Cell cell, Language language, SandboxLimits limits, TimeProvider time, CancellationToken cancellationToken)
    {
        var process = await StartAsync(cell, cell.StartKernelAsync(language, limits, cancellationToken), time, cancellationToken);
        try
        {
            return new GreetedKernel(process, await Handshake.ReceiveAsync(process, language, time, cancellationToken));
        }
        catch
        {
            await KillAsync(cell, process, time);
            throw;
        }
    }

    /// <summary>Bounds the start, whatever the backend does; a process that comes too late is killed.</summary>
    private static async Task<CellProcess> StartAsync(Cell cell, Task<CellProcess> starting, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            return await starting.WaitAsync(Handshake.Limit, time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            _ = starting.ContinueWith(
                late => KillAsync(cell, late.Result, time), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            if (exception is TimeoutException)
            {
                throw new HandshakeException($"The kernel's process did not start within {Handshake.Limit.TotalSeconds:0} s.");
            }

            throw;
        }
    }

    /// <summary>Sends the configuration, which a kernel takes until its first run; the random seed differs for every kernel, also for those forked from one zygote.</summary>
    public static ValueTask ConfigureAsync(GreetedKernel kernel, IReadOnlyDictionary<string, string> environment, SandboxLimits limits, CancellationToken cancellationToken, bool rehearse = false)
    {
        var frame = ControlFrames.Configure(
            environment,
            KernelEnvironment.WorkingDirectory,
            KernelEnvironment.SoftMemoryBytes(limits.MemoryBytes),
            Entropy.Hex(32),
            rehearse);
        return kernel.Process.Control!.SendAsync(frame, null, cancellationToken);
    }

    /// <summary>Kills a process with all that descends from it; waits at most five seconds and never throws.</summary>
    public static async Task<bool> KillAsync(Cell cell, CellProcess process, TimeProvider time)
    {
        try
        {
            var limit = TimeSpan.FromSeconds(5);
            await cell.SignalAsync(process, CellSignal.KillTree, CancellationToken.None).WaitAsync(limit, time);
            await process.Exited.WaitAsync(limit, time);
            return true;
        }
        catch (CellGoneException)
        {
            return true;
        }
        catch (Exception)
        {
            return false; // not in time, or the backend refused: the process must not be spoken to again either way
        }
        finally
        {
            process.Control?.Dispose();
        }
    }
}
