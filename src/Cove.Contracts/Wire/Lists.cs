namespace Cove.Wire;

/// <summary>An answer that lists sandboxes; an object rather than an array, so that a cursor can join it.</summary>
public sealed record SandboxList(IReadOnlyList<SandboxInfo> Sandboxes);

/// <summary>An answer that lists kernels.</summary>
public sealed record KernelList(IReadOnlyList<KernelInfo> Kernels);

/// <summary>An answer that lists files.</summary>
public sealed record FileList(IReadOnlyList<FileEntry> Files);

/// <summary>An answer that lists templates.</summary>
public sealed record TemplateList(IReadOnlyList<TemplateInfo> Templates);
