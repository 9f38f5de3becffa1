namespace Cove;

/// <summary>
/// The high seam: everything a caller can ask. The engine implements it in process and the client over HTTP, so the agent
/// loop, the CLI and the tests cannot tell local from remote.
/// Every method throws <see cref="CoveException"/> for what the caller can act on; a run reports its failures as its outcome instead.
/// </summary>
public interface ICove : IAsyncDisposable
{
    /// <summary>Creates a sandbox; returns when it answers.</summary>
    Task<SandboxInfo> CreateSandboxAsync(SandboxRequest request, CancellationToken cancellationToken = default);

    /// <summary>What is known of a sandbox, also for a while after it ended (the last 1,000 ended ones).</summary>
    Task<SandboxInfo> GetSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default);

    /// <summary>Lists sandboxes, oldest first, a page at a time. Default: those that have not ended.</summary>
    Task<SandboxPage> ListSandboxesAsync(SandboxFilter? filter = null, CancellationToken cancellationToken = default);

    /// <summary>Changes how long a sandbox lives.</summary>
    Task<SandboxInfo> ExtendSandboxAsync(SandboxId sandbox, SandboxExtension extension, CancellationToken cancellationToken = default);

    /// <summary>What happened to a sandbox since <paramref name="after"/>, from its journal; with <paramref name="follow"/> on and on until it ended.</summary>
    IAsyncEnumerable<SandboxEvent> ReadSandboxEventsAsync(SandboxId sandbox, long after = 0, bool follow = false, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends a sandbox and everything in it. Returns when it is unreachable (every call into it is refused, its runs have their ends) and killed
    /// (nothing in it runs any more). Freeing what the host held goes on behind that, within a second unless its processes die slowly: until then
    /// its state is <c>ending</c> and it counts against quotas, then <c>ended</c>. Ending an ended one is no error.
    /// </summary>
    Task DeleteSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default);

    /// <summary>What a sandbox uses now.</summary>
    Task<SandboxUsage> GetUsageAsync(SandboxId sandbox, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs code or a command and streams what happens. The last event is always <see cref="RunCompleted"/>.
    /// Cancelling the token interrupts the run (and kills it when it does not end within its grace).
    /// </summary>
    IAsyncEnumerable<RunEvent> RunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default);

    /// <summary>Starts a run that goes on whoever listens; returns once it was admitted. One that is refused is thrown as its error.</summary>
    Task<RunInfo> StartRunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// A run's events with a sequence greater than <paramref name="after"/>, from the journal and then as they happen; the last one is
    /// <see cref="RunCompleted"/>. Cancelling stops the reading, not the run. Any number may read at once.
    /// </summary>
    IAsyncEnumerable<RunEvent> ReadRunAsync(SandboxId sandbox, RunId run, long after = 0, CancellationToken cancellationToken = default);

    /// <summary>What is known of a run.</summary>
    Task<RunInfo> GetRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default);

    /// <summary>The sandbox's runs, the newest first; at most the last 1,000.</summary>
    Task<IReadOnlyList<RunInfo>> ListRunsAsync(SandboxId sandbox, CancellationToken cancellationToken = default);

    /// <summary>Writes to the standard input of a command started with <see cref="RunRequest.KeepStdinOpen"/>, and closes it when told to. At most 1 MiB a call.</summary>
    Task WriteStdinAsync(SandboxId sandbox, RunId run, ReadOnlyMemory<byte> input, bool close = false, CancellationToken cancellationToken = default);

    /// <summary>
    /// Answers a tool call of a run (<see cref="RunRequest.Tools"/>). Refused for a call that was never made, that has its answer already or failed by
    /// its timeout, and for a run that has ended.
    /// </summary>
    Task AnswerToolCallAsync(SandboxId sandbox, RunId run, string callId, HostAnswer answer, CancellationToken cancellationToken = default);

    /// <summary>Opens an interactive terminal. It counts as use of the sandbox while it is open.</summary>
    Task<Terminal> OpenTerminalAsync(SandboxId sandbox, TerminalRequest request, CancellationToken cancellationToken = default);

    /// <summary>Interrupts a run, keeping the kernel's state. A run that is not in progress: no error.</summary>
    Task InterruptRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default);

    /// <summary>Kills a run; a kernel's state is lost. A run that is not in progress: no error.</summary>
    Task KillRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default);

    /// <summary>The sandbox's kernels.</summary>
    Task<IReadOnlyList<KernelInfo>> ListKernelsAsync(SandboxId sandbox, CancellationToken cancellationToken = default);

    /// <summary>Starts a kernel that is not there yet.</summary>
    Task<KernelInfo> CreateKernelAsync(SandboxId sandbox, string kernel, Language language, CancellationToken cancellationToken = default);

    /// <summary>Kills a kernel and starts it anew; its state is lost, a run in it ends as killed.</summary>
    Task<KernelInfo> RestartKernelAsync(SandboxId sandbox, string kernel, CancellationToken cancellationToken = default);

    /// <summary>Kills a kernel.</summary>
    Task DeleteKernelAsync(SandboxId sandbox, string kernel, CancellationToken cancellationToken = default);

    /// <summary>Opens a regular file, or a part of it, for reading. The stream's length is what is there at this moment.</summary>
    Task<Stream> ReadFileAsync(SandboxId sandbox, string path, FileRange? range = null, CancellationToken cancellationToken = default);

    /// <summary>Writes a file whole: it appears under its name when all of it is there, or not at all.</summary>
    Task<FileEntry> WriteFileAsync(SandboxId sandbox, string path, Stream content, FileWriteOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>What a path is; a link is not followed.</summary>
    Task<FileEntry> StatFileAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default);

    /// <summary>What a directory holds, sorted by name, to a depth of 1 to 64. Links are not followed. At most 10,000 entries; more is the error <c>too_many_entries</c>.</summary>
    Task<IReadOnlyList<FileEntry>> ListFilesAsync(SandboxId sandbox, string path, int depth = 1, CancellationToken cancellationToken = default);

    /// <summary>Makes a directory and its missing parents.</summary>
    Task<FileEntry> MakeDirectoryAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default);

    /// <summary>Moves a file or directory.</summary>
    Task<FileEntry> MoveFileAsync(SandboxId sandbox, string from, string to, bool overwrite = false, CancellationToken cancellationToken = default);

    /// <summary>Tells of changes in a directory as they happen, within about a second; with <paramref name="recursive"/> also beneath it. Ends with the sandbox, or when the directory is gone.</summary>
    IAsyncEnumerable<FileChange> WatchFilesAsync(SandboxId sandbox, string path, bool recursive = false, CancellationToken cancellationToken = default);

    /// <summary>A directory with all it holds as a tar archive (POSIX pax), names relative to it; regular files, directories and links. The stream's length is not known.</summary>
    Task<Stream> ReadArchiveAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default);

    /// <summary>Unpacks a tar archive (ustar, pax or GNU; not compressed) into a directory, made when it is missing. Existing files are replaced; entries that would leave the directory, and devices, are refused.</summary>
    Task WriteArchiveAsync(SandboxId sandbox, string path, Stream archive, CancellationToken cancellationToken = default);

    /// <summary>Removes a file, a link or an empty directory; with <paramref name="recursive"/> a directory with all it holds.</summary>
    Task RemoveFileAsync(SandboxId sandbox, string path, bool recursive = false, CancellationToken cancellationToken = default);

    /// <summary>The templates sandboxes can start from.</summary>
    Task<IReadOnlyList<TemplateInfo>> ListTemplatesAsync(CancellationToken cancellationToken = default);
}

/// <summary>What a template offers.</summary>
public sealed record TemplateInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, in a sentence.</summary>
    public required string Description { get; init; }

    /// <summary>Whose system files its sandboxes see: <c>host</c>, or <c>own</c> for a root built with <c>cove template build</c>.</summary>
    public string Root { get; init; } = "host";

    /// <summary>The Python modules loaded before the first run.</summary>
    public required IReadOnlyList<string> Preload { get; init; }

    /// <summary>The Python packages that were found importable, name to version.</summary>
    public required IReadOnlyDictionary<string, string> Packages { get; init; }

    /// <summary>The languages available, with the interpreter's version.</summary>
    public required IReadOnlyDictionary<string, string> Languages { get; init; }

    /// <summary>The limits a sandbox has unless it asks for others.</summary>
    public required SandboxLimits Limits { get; init; }
}
