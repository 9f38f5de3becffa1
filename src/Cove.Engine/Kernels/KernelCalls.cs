using Cove.Engine.Guest;
using Cove.Engine.Runs;
using Cove.Engine.Sandboxes;

namespace Cove.Engine.Kernels;

/// <summary>What callers do with kernels besides running code in them.</summary>
internal static class KernelCalls
{
    /// <summary>How long a run that is being killed may hold its kernel: the stop ladder's own bounds, and a second.</summary>
    private static readonly TimeSpan GateLimit = StopLadder.KillLimit + TimeSpan.FromSeconds(16);

    public static async Task<KernelInfo> CreateAsync(Sandbox sandbox, string name, Language language, CancellationToken cancellationToken)
    {
        Check(name, "id");
        if (!Enum.IsDefined(language))
        {
            throw Refusals.InvalidRequest("language", (int)language, "python, bash or javascript");
        }

        Kernel kernel;
        do
        {
            kernel = sandbox.Kernels.Open(name, language, out var refusal) ?? throw new CoveException(refusal!);
            if (!kernel.TryEnter())
            {
                return kernel.Info; // busy, so it is there
            }
        }
        while (!HoldsOrLeave(sandbox, kernel));

        try
        {
            await StartAsync(sandbox, kernel, cancellationToken);
        }
        finally
        {
            sandbox.Kernels.LeaveOrRemove(kernel);
        }

        return kernel.Info;
    }

    public static async Task<KernelInfo> RestartAsync(Sandbox sandbox, string name, CancellationToken cancellationToken)
    {
        var kernel = await TakeOverAsync(sandbox, name, cancellationToken);
        try
        {
            await kernel.KillAsync();
            await StartAsync(sandbox, kernel, cancellationToken);
            sandbox.Journal.Append("kernel_restarted", kernel: kernel.Name);
        }
        finally
        {
            kernel.Leave();
        }

        return kernel.Info;
    }

    public static async Task<bool> DeleteAsync(Sandbox sandbox, string name, CancellationToken cancellationToken)
    {
        var kernel = await TakeOverAsync(sandbox, name, cancellationToken);
        try
        {
            await kernel.KillAsync();
            sandbox.Kernels.Remove(kernel);
            return true;
        }
        finally
        {
            kernel.Leave();
        }
    }

    /// <summary>Kills the run in the kernel, if there is one, and takes its gate.</summary>
    private static async Task<Kernel> TakeOverAsync(Sandbox sandbox, string name, CancellationToken cancellationToken)
    {
        while (true)
        {
            var kernel = Find(sandbox, name);
            if (!kernel.TryEnter())
            {
                sandbox.KillRunIn(kernel.Name);
                if (!await kernel.EnterAsync(GateLimit, cancellationToken))
                {
                    throw new CoveException(Outcomes.KernelBusy(kernel.Name));
                }
            }

            if (HoldsOrLeave(sandbox, kernel))
            {
                return kernel;
            }
        }
    }

    /// <summary>False, and the kernel is left, when it was deleted between being found and being entered.</summary>
    private static bool HoldsOrLeave(Sandbox sandbox, Kernel kernel)
    {
        if (sandbox.Kernels.Holds(kernel))
        {
            return true;
        }

        kernel.Leave();
        return false;
    }

    private static async Task StartAsync(Sandbox sandbox, Kernel kernel, CancellationToken cancellationToken)
    {
        var before = StartFailure.Hits(sandbox.Cell);
        try
        {
            await kernel.EnsureStartedAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is HandshakeException or IOException)
        {
            var cause = StartFailure.Cause(sandbox.Cell, before, sandbox.Limits);
            throw new CoveException(cause ?? Outcomes.KernelStartFailed(kernel.Language, exception.Message), exception);
        }
    }

    private static Kernel Find(Sandbox sandbox, string name)
    {
        Check(name, "kernel");
        return sandbox.Kernels.Find(name) ?? throw Refusals.KernelNotFound(name);
    }

    private static void Check(string? name, string field)
    {
        if (!Names.IsName(name))
        {
            throw Refusals.InvalidRequest(field, name ?? "null", "1 to 40 characters of a-z, 0-9 and '-'");
        }
    }
}
