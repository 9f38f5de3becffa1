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

    private static string Of(SandboxId sandbox, string kernel) => Of(sandbox) + "/kernels/" + Uri.EscapeDataString(kernel);
}
