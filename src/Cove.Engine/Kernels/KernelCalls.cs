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
        Check(name);
        if (!Enum.IsDefined(language))
        {
            throw Refusals.InvalidRequest("language", (int)language, "python, bash or javascript");
        }

        var kernel = sandbox.Kernels.Open(name, language, out var refusal) ?? throw new CoveException(refusal!);
        if (!kernel.TryEnter())
        {
            return kernel.Info; // busy, so it is there
        }

        try
        {
            await StartAsync(kernel, cancellationToken);
        }
        finally
        {
            kernel.Leave();
        }

        return kernel.Info;
    }

    public static async Task<KernelInfo> RestartAsync(Sandbox sandbox, string name, CancellationToken cancellationToken)
    {
        var kernel = Find(sandbox, name);
        await TakeOverAsync(sandbox, kernel, cancellationToken);
        try
        {
            await kernel.KillAsync();
            await StartAsync(kernel, cancellationToken);
        }
        finally
        {
            kernel.Leave();
        }

        return kernel.Info;
    }

    public static async Task<bool> DeleteAsync(Sandbox sandbox, string name, CancellationToken cancellationToken)
    {
        var kernel = Find(sandbox, name);
        await TakeOverAsync(sandbox, kernel, cancellationToken);
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
    private static async Task TakeOverAsync(Sandbox sandbox, Kernel kernel, CancellationToken cancellationToken)
    {
        if (kernel.TryEnter())
        {
            return;
        }

        sandbox.KillRunIn(kernel.Name);
        if (!await kernel.EnterAsync(GateLimit, cancellationToken))
        {
            throw new CoveException(Outcomes.KernelBusy(kernel.Name));
        }
    }

    private static async Task StartAsync(Kernel kernel, CancellationToken cancellationToken)
    {
        try
        {
            await kernel.EnsureStartedAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is HandshakeException or IOException)
        {
            throw new CoveException(Outcomes.KernelStartFailed(kernel.Language, exception.Message), exception);
        }
    }

    private static Kernel Find(Sandbox sandbox, string name)
    {
        Check(name);
        return sandbox.Kernels.Find(name) ?? throw Refusals.KernelNotFound(name);
    }

    private static void Check(string? name)
    {
        if (!Names.IsName(name))
        {
            throw Refusals.InvalidRequest("kernel", name ?? "null", "1 to 40 characters of a-z, 0-9 and '-'");
        }
    }
}
