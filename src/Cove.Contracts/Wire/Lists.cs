namespace Cove.Wire;

/// <summary>An answer that lists kernels.</summary>
public sealed record KernelList(IReadOnlyList<KernelInfo> Kernels);

/// <summary>An answer that lists files.</summary>
public sealed record FileList(IReadOnlyList<FileEntry> Files);

/// <summary>An answer that lists templates.</summary>
public sealed record TemplateList(IReadOnlyList<TemplateInfo> Templates);

/// <summary>An answer that lists runs.</summary>
public sealed record RunList(IReadOnlyList<RunInfo> Runs);
