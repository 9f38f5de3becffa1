using Cove.Wire;

namespace Cove.Client;

public sealed partial class CoveClient
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<KernelInfo>> ListKernelsAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        (await SendAsync(HttpMethod.Get, Of(sandbox) + "/kernels", null, CoveJson.Wire.KernelList, cancellationToken)).Kernels;

    /// <inheritdoc/>
    public Task<KernelInfo> CreateKernelAsync(SandboxId sandbox, string kernel, Language language, CancellationToken cancellationToken = default)
    {
        var body = Body(new KernelRequest { Id = kernel, Language = language }, CoveJson.Wire.KernelRequest);
        return CreateAsync(Of(sandbox) + "/kernels", body, CoveJson.Wire.KernelInfo, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<KernelInfo> RestartKernelAsync(SandboxId sandbox, string kernel, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, Of(sandbox, kernel) + "/restart", null, CoveJson.Wire.KernelInfo, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteKernelAsync(SandboxId sandbox, string kernel, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Delete, Of(sandbox, kernel), null, cancellationToken);

    /// <summary>A name of dots alone, escaped or not, would become a step up in the address: deleting that kernel would delete its sandbox.</summary>
    private static string Of(SandboxId sandbox, string kernel) =>
        kernel.Trim('.').Length > 0 ? Of(sandbox) + "/kernels/" + Uri.EscapeDataString(kernel) : throw new CoveException(new RunError
        {
            Code = "invalid_request",
            Category = ErrorCategory.Request,
            Retryable = false,
            Message = $"The kernel id '{kernel}' can be no kernel's.",
            Remediation = "Give the id of a kernel; listing the sandbox's kernels shows them.",
        });
}
