using System.Text;

namespace Cove;

/// <summary>A sandbox in one's hand: the calls of <see cref="ICove"/> about one sandbox, and its end when it is disposed. For any number of callers at once.</summary>
public sealed class CoveSandbox : IAsyncDisposable
{
    /// <summary>Takes a sandbox that exists in hand; disposing ends it.</summary>
    public CoveSandbox(ICove cove, SandboxInfo info)
    {
        ArgumentNullException.ThrowIfNull(cove);
        ArgumentNullException.ThrowIfNull(info);
        (Cove, Info) = (cove, info);
    }

    /// <summary>Where it is.</summary>
    public ICove Cove { get; }

    /// <summary>What was known of it when it was made.</summary>
    public SandboxInfo Info { get; }

    /// <summary>Its id.</summary>
    public SandboxId Id => Info.Id;

    /// <summary>Runs code or a command and streams what happens; see <see cref="ICove.RunAsync"/>. Cancelling interrupts it.</summary>
    public IAsyncEnumerable<RunEvent> RunAsync(RunRequest request, CancellationToken cancellationToken = default) => Cove.RunAsync(Id, request, cancellationToken);

    /// <summary>Runs code or a command to its end. What it did wrong is in the report, not thrown.</summary>
    public Task<FinishedRun> RunToEndAsync(RunRequest request, CancellationToken cancellationToken = default) => Cove.RunToEndAsync(Id, request, cancellationToken);

    /// <summary>Runs code in the language's default kernel, whose variables stay, to its end.</summary>
    public Task<FinishedRun> RunToEndAsync(string code, Language language = Language.Python, CancellationToken cancellationToken = default) =>
        RunToEndAsync(new RunRequest { Code = code, Language = language }, cancellationToken);

    /// <summary>Opens a file, or a part of it.</summary>
    public Task<Stream> ReadFileAsync(string path, FileRange? range = null, CancellationToken cancellationToken = default) => Cove.ReadFileAsync(Id, path, range, cancellationToken);

    /// <summary>Reads a file as text: UTF-8, what is none becomes U+FFFD. Held in memory whole.</summary>
    public async Task<string> ReadTextAsync(string path, CancellationToken cancellationToken = default)
    {
        await using var file = await ReadFileAsync(path, null, cancellationToken);
        using var reader = new StreamReader(file, Encoding.UTF8);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    /// <summary>Writes a file whole.</summary>
    public Task<FileEntry> WriteFileAsync(string path, Stream content, FileWriteOptions? options = null, CancellationToken cancellationToken = default) =>
        Cove.WriteFileAsync(Id, path, content, options, cancellationToken);

    /// <summary>Writes text as UTF-8.</summary>
    public async Task<FileEntry> WriteTextAsync(string path, string text, FileWriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return await WriteFileAsync(path, content, options, cancellationToken);
    }

    /// <summary>What a directory holds.</summary>
    public Task<IReadOnlyList<FileEntry>> ListFilesAsync(string path = "/workspace", int depth = 1, CancellationToken cancellationToken = default) =>
        Cove.ListFilesAsync(Id, path, depth, cancellationToken);

    /// <summary>Opens an interactive terminal.</summary>
    public Task<Terminal> OpenTerminalAsync(TerminalRequest? request = null, CancellationToken cancellationToken = default) =>
        Cove.OpenTerminalAsync(Id, request ?? new TerminalRequest(), cancellationToken);

    /// <summary>Lets it live this much longer, from now.</summary>
    public Task<SandboxInfo> ExtendAsync(TimeSpan lifetime, CancellationToken cancellationToken = default) =>
        Cove.ExtendSandboxAsync(Id, new SandboxExtension { Lifetime = lifetime }, cancellationToken);

    /// <summary>What it uses now.</summary>
    public Task<SandboxUsage> GetUsageAsync(CancellationToken cancellationToken = default) => Cove.GetUsageAsync(Id, cancellationToken);

    /// <summary>Ends it. One that has ended already, or whose server is gone, is no error: its timeouts end it.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Cove.DeleteSandboxAsync(Id);
        }
        catch (CoveException failure) when (failure.Error.Category is ErrorCategory.NotFound or ErrorCategory.Infrastructure)
        {
            // Gone, or out of reach: nothing more can be done from here.
        }
    }
}
